/* portmux._relay: loops and their pairs as Python sees them. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "loop.h"

#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct {
    PyObject_HEAD
    struct pair pair;
    bool begun, over;
} PairObject;

typedef struct {
    PyObject_HEAD
    struct loop loop;
    bool running;
    unsigned process; /* whose thread it is */
} LoopObject;

struct state {
    PyObject *pair;
};

/* The words of records. */
static const char *const WORDS[] = {
    [OPEN] = "",
    [DONE] = "done",
    [CLIENT_LOST] = "client-lost",
    [BACKEND_LOST] = "backend-lost",
    [IDLE_TIMEOUT] = "idle-timeout",
    [HALF_CLOSE_TIMEOUT] = "half-close-timeout",
    [STOPPED] = "stopped",
    [FAILED] = "error",
};

static int CLIENT_SIDE = CLIENT, BACKEND_SIDE = BACKEND;

/* So many forks lie between the process that loaded us and this one. To ask for the
 * process' number is a system call, for each session. */
static unsigned process;

static void forked(void)
{
    process++;
}

static void watch_for_forks(void)
{
    pthread_atfork(NULL, NULL, forked);
}

static void release(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc give_back = (freefunc)PyType_GetSlot(type, Py_tp_free);

    give_back(self);
    Py_DECREF(type);
}

static PairObject *pair_object(struct pair *pair)
{
    return (PairObject *)((char *)pair - offsetof(PairObject, pair));
}

/* -- Pair */

static PyObject *pair_passed(PyObject *self, void *side)
{
    struct flow *flow = &((PairObject *)self)->pair.flows[*(int *)side];

    return PyLong_FromUnsignedLongLong(
        atomic_load_explicit(&flow->passed, memory_order_relaxed));
}

static PyObject *pair_ended(PyObject *self, void *side)
{
    struct pair *pair = &((PairObject *)self)->pair;
    uint8_t ended = atomic_load_explicit(&pair->ended, memory_order_relaxed);

    return PyBool_FromLong(ended & (1 << *(int *)side));
}

static PyObject *pair_end(PyObject *self, void *unused)
{
    PairObject *object = (PairObject *)self;

    (void)unused;
    return PyUnicode_FromString(WORDS[object->over ? object->pair.how : OPEN]);
}

static PyObject *pair_detail(PyObject *self, void *unused)
{
    PairObject *object = (PairObject *)self;
    int error = object->over ? object->pair.error : 0;

    (void)unused;
    return PyUnicode_DecodeLocale(error ? strerror(error) : "", "surrogateescape");
}

static PyGetSetDef pair_attributes[] = {
    {"sent", pair_passed, NULL, "Octets that the backend's socket has accepted.",
     &CLIENT_SIDE},
    {"received", pair_passed, NULL, "Octets that the client's socket has accepted.",
     &BACKEND_SIDE},
    {"client_ended", pair_ended, NULL, "Whether the client will send no more.",
     &CLIENT_SIDE},
    {"backend_ended", pair_ended, NULL, "Whether the backend will send no more.",
     &BACKEND_SIDE},
    {"end", pair_end, NULL, "The record's word for how it ended; empty before.", NULL},
    {"detail", pair_detail, NULL, "What the system said about it.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot pair_slots[] = {
    {Py_tp_doc, "A client's socket and its backend's."},
    {Py_tp_dealloc, release},
    {Py_tp_getset, pair_attributes},
    {0, NULL},
};

static PyType_Spec pair_spec = {
    .name = "portmux._relay.Pair",
    .basicsize = sizeof(PairObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = pair_slots,
};

/* -- Loop */

static struct state *state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

/* @return: the loop; NULL, with an exception: it is of no use here. */
static struct loop *running(PyObject *self)
{
    LoopObject *object = (LoopObject *)self;

    if (object->running && object->process == process)
        return &object->loop;
    PyErr_SetString(PyExc_ValueError, object->running
                                          ? "the loop's thread is in another process"
                                          : "the loop is closed");
    return NULL;
}

/* @return: the pair, borrowed; NULL, with an exception: it is none. */
static PairObject *pair_argument(PyObject *self, PyObject *argument)
{
    if (PyObject_TypeCheck(argument, (PyTypeObject *)state_of(self)->pair))
        return (PairObject *)argument;
    PyErr_SetString(PyExc_TypeError, "not a Pair");
    return NULL;
}

/* A number of seconds, or None for any time, as milliseconds. */
static int milliseconds(PyObject *argument, void *result)
{
    double seconds;

    *(uint64_t *)result = NEVER;
    if (argument == Py_None)
        return 1;
    seconds = PyFloat_AsDouble(argument);
    if (seconds == -1.0 && PyErr_Occurred())
        return 0;
    if (!(seconds >= 0)) {
        PyErr_SetString(PyExc_ValueError, "seconds: not negative");
        return 0;
    }
    if (seconds < 1e12) /* longer is for ever */
        *(uint64_t *)result = (uint64_t)ceil(seconds * 1000);
    return 1;
}

static PyObject *loop_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    LoopObject *object;
    int fault, pipes;

    if (keywords != NULL) {
        PyErr_SetString(PyExc_TypeError, "Loop() takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "i:Loop", &pipes))
        return NULL;
    if (pipes < 0) {
        PyErr_SetString(PyExc_ValueError, "pipes: not negative");
        return NULL;
    }
    object = (LoopObject *)allocate(type, 0);
    if (object == NULL)
        return NULL;
    fault = loop_start(&object->loop, (unsigned)pipes);
    if (fault != 0) {
        Py_DECREF(object);
        errno = fault;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    object->process = process;
    object->running = true;
    return (PyObject *)object;
}

/* Make a list of pairs that are over; the references were the loop's. */
static PyObject *listed(struct line *line)
{
    PyObject *list = PyList_New(0);
    struct pair *pair;

    while ((pair = STAILQ_FIRST(line)) != NULL) {
        PairObject *object = pair_object(pair);

        STAILQ_REMOVE_HEAD(line, over);
        object->over = true;
        if (list != NULL && PyList_Append(list, (PyObject *)object) < 0)
            Py_CLEAR(list);
        Py_DECREF(object);
    }
    return list;
}

static void loop_dealloc(PyObject *self)
{
    LoopObject *object = (LoopObject *)self;

    /* In a child that was forked there is no thread to wait for. */
    if (object->running && object->process == process) {
        struct line line = loop_stop(&object->loop);

        Py_XDECREF(listed(&line));
    }
    release(self);
}

static PyObject *loop_fileno(PyObject *self, PyObject *unused)
{
    struct loop *loop = running(self);

    (void)unused;
    return loop == NULL ? NULL : PyLong_FromLong(loop->told);
}

static void set_up(struct pair *pair, int client, int backend, bool client_ended)
{
    const int descriptors[] = {client, backend};

    for (int which = CLIENT; which <= BACKEND; which++) {
        pair->sides[which].is_backend = which == BACKEND;
        pair->sides[which].descriptor = descriptors[which];
        pair->sides[which].writable = true; /* trying tells */
    }
    atomic_init(&pair->ended, client_ended ? 1 << CLIENT : 0);
}

static PyObject *begin(PyObject *self, PyObject *arguments)
{
    struct loop *loop = running(self);
    PyObject *argument;
    PairObject *object;
    struct pair *pair;
    int client, backend, client_ended, fault;
    const char *rest;
    Py_ssize_t size;
    uint64_t idle, half_close;

    if (loop == NULL ||
        !PyArg_ParseTuple(arguments, "Oiiy#pO&O&", &argument, &client, &backend, &rest,
                          &size, &client_ended, milliseconds, &idle, milliseconds,
                          &half_close))
        return NULL;
    object = pair_argument(self, argument);
    if (object == NULL)
        return NULL;
    if (object->begun) {
        PyErr_SetString(PyExc_ValueError, "the pair was begun before");
        return NULL;
    }
    pair = &object->pair;
    set_up(pair, client, backend, client_ended);
    pair->idle = idle;
    pair->half_close = half_close;
    fault = pair_hold(pair, rest, (size_t)size);
    if (fault == 0) {
        Py_INCREF(argument); /* the loop's */
        fault = loop_begin(loop, pair);
        if (fault != 0) {
            pair_forget(pair);
            Py_DECREF(argument);
        }
    }
    if (fault != 0) {
        errno = fault;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    object->begun = true;
    Py_RETURN_NONE;
}

static PyObject *stop(PyObject *self, PyObject *arguments)
{
    struct loop *loop = running(self);
    PyObject *argument;
    PairObject *object;
    int reset = true;

    if (loop == NULL || !PyArg_ParseTuple(arguments, "O|p:stop", &argument, &reset))
        return NULL;
    object = pair_argument(self, argument);
    if (object == NULL)
        return NULL;
    if (object->begun && !object->over)
        loop_unwanted(loop, &object->pair, !reset);
    Py_RETURN_NONE;
}

static PyObject *quiet(PyObject *self, PyObject *argument)
{
    struct loop *loop = running(self);
    PairObject *object;
    uint64_t touched, now;

    if (loop == NULL)
        return NULL;
    object = pair_argument(self, argument);
    if (object == NULL)
        return NULL;
    now = loop_clock(loop);
    touched = atomic_load_explicit(&object->pair.touched, memory_order_relaxed);
    return PyFloat_FromDouble(touched == 0 || touched > now
                                  ? 0.0
                                  : (double)(now - touched) / 1000);
}

static PyObject *settle(PyObject *self, PyObject *unused)
{
    struct loop *loop = running(self);

    (void)unused;
    if (loop == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    loop_settle(loop);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *over(PyObject *self, PyObject *unused)
{
    struct loop *loop = running(self);
    struct line line;

    (void)unused;
    if (loop == NULL)
        return NULL;
    line = loop_over(loop);
    return listed(&line);
}

static PyObject *advance(PyObject *self, PyObject *argument)
{
    struct loop *loop = running(self);
    uint64_t time;

    if (loop == NULL || !milliseconds(argument, &time))
        return NULL;
    loop_advance(loop, time);
    Py_RETURN_NONE;
}

static PyObject *close_loop(PyObject *self, PyObject *unused)
{
    LoopObject *object = (LoopObject *)self;
    struct loop *loop = running(self);
    struct line line;

    (void)unused;
    if (loop == NULL)
        return NULL;
    object->running = false;
    Py_BEGIN_ALLOW_THREADS
    line = loop_stop(loop);
    Py_END_ALLOW_THREADS
    return listed(&line);
}

static PyMethodDef loop_methods[] = {
    {"fileno", loop_fileno, METH_NOARGS, "Readable when a pair is over."},
    {"begin", begin, METH_VARARGS, "Relay between two sockets from now on."},
    {"stop", stop, METH_VARARGS, "Have a pair ended soon."},
    {"quiet", quiet, METH_O, "Seconds since a byte has moved."},
    {"settle", settle, METH_NOARGS, "Wait for what is over to be told."},
    {"over", over, METH_NOARGS, "Take the pairs that are over."},
    {"advance", advance, METH_O, "Have the clock jump forward."},
    {"close", close_loop, METH_NOARGS, "End the thread; take the last pairs."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot loop_slots[] = {
    {Py_tp_doc, "A thread that relays between sockets, without the interpreter's lock."},
    {Py_tp_new, loop_new},
    {Py_tp_dealloc, loop_dealloc},
    {Py_tp_methods, loop_methods},
    {0, NULL},
};

static PyType_Spec loop_spec = {
    .name = "portmux._relay.Loop",
    .basicsize = sizeof(LoopObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = loop_slots,
};

/* -- the module */

static int execute(PyObject *module)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct state *state = PyModule_GetState(module);
    PyObject *loop;

    pthread_once(&once, watch_for_forks);
    state->pair = PyType_FromModuleAndSpec(module, &pair_spec, NULL);
    if (state->pair == NULL || PyModule_AddType(module, (PyTypeObject *)state->pair) < 0)
        return -1;
    loop = PyType_FromModuleAndSpec(module, &loop_spec, NULL);
    if (loop == NULL)
        return -1;
    if (PyModule_AddType(module, (PyTypeObject *)loop) < 0) {
        Py_DECREF(loop);
        return -1;
    }
    Py_DECREF(loop);
    return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    struct state *state = PyModule_GetState(module);

    Py_VISIT(state->pair);
    return 0;
}

static int clear(PyObject *module)
{
    struct state *state = PyModule_GetState(module);

    Py_CLEAR(state->pair);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "portmux._relay",
    .m_doc = "Relay between pairs of sockets in a thread without the interpreter's lock.",
    .m_size = sizeof(struct state),
    .m_slots = module_slots,
    .m_traverse = traverse,
    .m_clear = clear,
};

PyMODINIT_FUNC PyInit__relay(void)
{
    return PyModuleDef_Init(&definition);
}
