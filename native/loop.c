#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Events fetched at a time (taste). */
#define BATCH 256

/* Milliseconds that the owner waits for a thread which has much to do (taste). */
#define MERCY 50

static void signal_to(int descriptor)
{
    uint64_t one = 1;

    /* It can only fail for being signalled already. */
    if (write(descriptor, &one, sizeof one) < 0)
        return;
}

static void quieten(int descriptor)
{
    uint64_t count;

    if (read(descriptor, &count, sizeof count) < 0)
        return;
}

uint64_t loop_clock(struct loop *loop)
{
    struct timespec time;

    /* The coarse one is read at the price of a call, and exact to a few of these. */
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000 +
           atomic_load_explicit(&loop->ahead, memory_order_relaxed);
}

void loop_advance(struct loop *loop, uint64_t milliseconds)
{
    atomic_fetch_add_explicit(&loop->ahead, milliseconds, memory_order_relaxed);
    signal_to(loop->wake);
}

/* -- for pair.c */

int loop_watch(struct loop *loop, struct side *side)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET,
        .data.ptr = side,
    };

    return epoll_ctl(loop->poll, EPOLL_CTL_ADD, side->descriptor, &event) < 0 ? errno
                                                                              : 0;
}

void loop_close(struct loop *loop, struct side *side)
{
    if (side->descriptor < 0)
        return;
    /* A child that was just forked may have the socket open, too, for a moment;
     * until it has not, closing alone would not end the events. */
    epoll_ctl(loop->poll, EPOLL_CTL_DEL, side->descriptor, NULL);
    close(side->descriptor);
    side->descriptor = -1;
}

void loop_again(struct loop *loop, struct pair *pair)
{
    if (!pair->again) {
        pair->again = true;
        TAILQ_INSERT_TAIL(&loop->again, pair, turn);
    }
}

void loop_ended(struct loop *loop, struct pair *pair)
{
    if (pair->again) {
        pair->again = false;
        TAILQ_REMOVE(&loop->again, pair, turn);
    }
    wheel_remove(&loop->wheel, &pair->timer);
    pair->gone = true;
    STAILQ_INSERT_TAIL(&loop->ended, pair, over);
}

/* -- the thread */

/* Do as the owner wishes, and tell it what is over. @return: whether to go on. */
static bool exchange(struct loop *loop)
{
    struct pair *pair;
    bool news, quit;

    pthread_mutex_lock(&loop->lock);
    quit = loop->quit;
    if (quit) {
        LIST_FOREACH (pair, &loop->live, live)
            pair_reset(loop, pair, STOPPED);
    }
    while ((pair = LIST_FIRST(&loop->wishes)) != NULL) {
        LIST_REMOVE(pair, wish);
        (pair->orderly ? pair_close : pair_reset)(loop, pair, STOPPED);
    }
    STAILQ_FOREACH (pair, &loop->ended, over) {
        LIST_REMOVE(pair, live);
        pair->told = true;
    }
    news = STAILQ_EMPTY(&loop->over) && !STAILQ_EMPTY(&loop->ended);
    STAILQ_CONCAT(&loop->over, &loop->ended);
    if (loop->answered != loop->asked) {
        if (loop->fresh) {
            signal_to(loop->wake); /* of their backends nothing was told yet */
        } else {
            loop->answered = loop->asked;
            pthread_cond_signal(&loop->settled);
        }
        loop->fresh = false;
    }
    pthread_mutex_unlock(&loop->lock);
    if (news)
        signal_to(loop->told);
    return !quit;
}

static int patience(struct loop *loop)
{
    uint64_t next;

    if (!TAILQ_EMPTY(&loop->again))
        return 0;
    next = wheel_next(&loop->wheel);
    if (next == NEVER)
        return -1;
    /* A wheel reaches as far as an int. */
    return next > loop->now ? (int)(next - loop->now) : 0;
}

/* Give those a turn that had more to do; who has still more waits behind them. */
static void go_on(struct loop *loop)
{
    struct pair *last = TAILQ_LAST(&loop->again, turns), *pair;

    do {
        pair = TAILQ_FIRST(&loop->again);
        if (pair == NULL)
            return;
        TAILQ_REMOVE(&loop->again, pair, turn);
        pair->again = false;
        pair_service(loop, pair);
    } while (pair != last);
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    struct epoll_event events[BATCH];
    struct timer *timer;
    bool on = true;

    while (on) {
        bool woken = false;
        int count = epoll_wait(loop->poll, events, BATCH, patience(loop));

        loop->now = loop_clock(loop);
        wheel_turn(&loop->wheel, loop->now);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                quieten(loop->wake);
                woken = true;
            } else {
                pair_event(loop, events[i].data.ptr, events[i].events);
            }
        }
        go_on(loop);
        while ((timer = wheel_due(&loop->wheel, loop->now)) != NULL)
            pair_expire(loop, (struct pair *)((char *)timer -
                                              offsetof(struct pair, timer)));
        if (woken || !STAILQ_EMPTY(&loop->ended))
            on = exchange(loop);
    }
    return NULL;
}

/* -- the owner */

/* A thread on which no signal is ever handled. */
static int spawn(struct loop *loop)
{
    sigset_t all, before;
    int fault;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    fault = pthread_create(&loop->thread, NULL, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fault;
}

static void dispose(struct loop *loop)
{
    if (loop->poll >= 0)
        close(loop->poll);
    if (loop->wake >= 0)
        close(loop->wake);
    if (loop->told >= 0)
        close(loop->told);
    pthread_mutex_destroy(&loop->lock);
    pthread_cond_destroy(&loop->settled);
    free(loop->buffer);
}

static void prepare(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int loop_start(struct loop *loop, unsigned pipes)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fault = 0;

    memset(loop, 0, sizeof *loop);
    pthread_mutex_init(&loop->lock, NULL);
    prepare(&loop->settled);
    TAILQ_INIT(&loop->again);
    STAILQ_INIT(&loop->ended);
    STAILQ_INIT(&loop->over);
    loop->pipes.most = pipes;
    loop->now = loop_clock(loop);
    wheel_turn(&loop->wheel, loop->now);
    loop->buffer = malloc(BUFFER);
    loop->poll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->told = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->buffer == NULL)
        fault = ENOMEM;
    else if (loop->poll < 0 || loop->wake < 0 || loop->told < 0 ||
             epoll_ctl(loop->poll, EPOLL_CTL_ADD, loop->wake, &event) < 0)
        fault = errno;
    else
        fault = spawn(loop);
    if (fault != 0)
        dispose(loop);
    return fault;
}

struct line loop_over(struct loop *loop)
{
    struct line line;

    STAILQ_INIT(&line);
    quieten(loop->told);
    pthread_mutex_lock(&loop->lock);
    STAILQ_CONCAT(&line, &loop->over);
    pthread_mutex_unlock(&loop->lock);
    return line;
}

struct line loop_stop(struct loop *loop)
{
    struct line line;

    pthread_mutex_lock(&loop->lock);
    loop->quit = true;
    pthread_mutex_unlock(&loop->lock);
    signal_to(loop->wake);
    pthread_join(loop->thread, NULL);
    pipes_close(&loop->pipes);
    line = loop_over(loop);
    dispose(loop);
    return line;
}

int loop_begin(struct loop *loop, struct pair *pair)
{
    int fault;

    pthread_mutex_lock(&loop->lock);
    LIST_INSERT_HEAD(&loop->live, pair, live);
    pthread_mutex_unlock(&loop->lock);
    /* From here on the pair is the thread's, unless this fails. It wakes it, too:
     * a new socket can be written. */
    fault = loop_watch(loop, &pair->sides[CLIENT]);
    if (fault != 0) {
        pthread_mutex_lock(&loop->lock);
        LIST_REMOVE(pair, live);
        pthread_mutex_unlock(&loop->lock);
    }
    return fault;
}

void loop_settle(struct loop *loop)
{
    struct timespec until;
    uint64_t number;
    int fault = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += MERCY * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&loop->lock);
    if (!LIST_EMPTY(&loop->live)) {
        number = ++loop->asked;
        signal_to(loop->wake);
        while (loop->answered < number && fault == 0)
            fault = pthread_cond_timedwait(&loop->settled, &loop->lock, &until);
    }
    pthread_mutex_unlock(&loop->lock);
}

void loop_unwanted(struct loop *loop, struct pair *pair, bool orderly)
{
    bool first;

    pthread_mutex_lock(&loop->lock);
    first = !pair->unwanted && !pair->told;
    if (first) {
        pair->unwanted = true;
        pair->orderly = orderly;
        LIST_INSERT_HEAD(&loop->wishes, pair, wish);
    }
    pthread_mutex_unlock(&loop->lock);
    if (first)
        signal_to(loop->wake);
}
