#define _GNU_SOURCE
#include "pair.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Octets that a flow moves at most until the others have a turn (taste). */
#define TURN (1 << 20)

/* So many full reads in a row, and it is bulk: splice. */
#define BULK 2

/* So many small spliced pieces in a row, and it is not: copy. */
#define SMALL 16
#define SMALL_SIZE 16384

/* Milliseconds for what is under way to arrive; portmux.core.session.LINGER. */
#define LINGER 10000

/* What became of an attempt to move bytes. */
enum step { MOVED, BLOCKED, LOST_FROM, LOST_TO, NO_MEMORY };

/* How it is called when a side is gone without an orderly end. */
static enum end lost(int which)
{
    return which == CLIENT ? CLIENT_LOST : BACKEND_LOST;
}

static bool has_ended(const struct pair *pair, int which)
{
    return atomic_load_explicit(&pair->ended, memory_order_relaxed) & (1 << which);
}

static void touch(struct loop *loop, struct pair *pair)
{
    atomic_store_explicit(&pair->touched, loop->now, memory_order_relaxed);
}

static void pass(struct flow *flow, size_t size)
{
    uint64_t passed = atomic_load_explicit(&flow->passed, memory_order_relaxed);

    /* No atomic addition: there is one writer. */
    atomic_store_explicit(&flow->passed, passed + size, memory_order_relaxed);
}

/* -- one flow */

static size_t pending(const struct flow *flow)
{
    return flow->piped + (flow->last - flow->first);
}

static void drop(struct loop *loop, struct flow *flow)
{
    free(flow->held);
    flow->held = NULL;
    flow->first = flow->last = 0;
    if (flow->pipe != NULL)
        pipes_drop(&loop->pipes, flow->pipe);
    flow->pipe = NULL;
    flow->piped = 0;
}

static bool hold(struct flow *flow, const char *bytes, size_t size)
{
    if (size > UINT32_MAX)
        return false;
    flow->held = malloc(size);
    if (flow->held == NULL)
        return false;
    memcpy(flow->held, bytes, size);
    flow->first = 0;
    flow->last = (uint32_t)size;
    return true;
}

int pair_hold(struct pair *pair, const char *bytes, size_t size)
{
    return size == 0 || hold(&pair->flows[CLIENT], bytes, size) ? 0 : ENOMEM;
}

void pair_forget(struct pair *pair)
{
    free(pair->flows[CLIENT].held);
    memset(&pair->flows[CLIENT], 0, sizeof pair->flows[CLIENT]);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Write some of what the flow has taken. */
static enum step push(struct loop *loop, struct flow *flow, struct side *to)
{
    ssize_t size;

    if (!to->writable)
        return BLOCKED;
    if (flow->pipe != NULL)
        size = splice(flow->pipe->out, NULL, to->descriptor, NULL, flow->piped,
                      SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    else
        size = send(to->descriptor, flow->held + flow->first, flow->last - flow->first,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) {
        if (!would_block())
            return LOST_TO;
        to->writable = false;
        return BLOCKED;
    }
    touch(loop, pair_of(to));
    pass(flow, (size_t)size);
    if (flow->pipe != NULL) {
        flow->piped -= (uint32_t)size;
        if (flow->piped == 0) {
            pipes_give(&loop->pipes, flow->pipe);
            flow->pipe = NULL;
        }
    } else {
        flow->first += (uint32_t)size;
        if (flow->first == flow->last)
            drop(loop, flow);
    }
    return MOVED;
}

/* Splicing asks the socket itself whether it may wait. */
static void unblock(struct pair *pair)
{
    int on = 1;

    if (pair->unblocked)
        return;
    pair->unblocked = true;
    ioctl(pair->sides[CLIENT].descriptor, FIONBIO, &on);
    ioctl(pair->sides[BACKEND].descriptor, FIONBIO, &on);
}

/* Read into a pipe. BLOCKED: reading some other way tells more. */
static enum step splice_in(struct loop *loop, struct flow *flow, struct side *from)
{
    ssize_t size;

    flow->pipe = pipes_take(&loop->pipes, loop->now);
    if (flow->pipe == NULL)
        return BLOCKED;
    unblock(pair_of(from));
    size = splice(from->descriptor, NULL, flow->pipe->in, NULL, flow->pipe->size,
                  SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (size > 0) {
        touch(loop, pair_of(from));
        flow->piped = (uint32_t)size;
        flow->small = size < SMALL_SIZE ? flow->small + 1 : 0;
        if (flow->small == SMALL)
            flow->full = flow->small = 0;
        return MOVED;
    }
    pipes_give(&loop->pipes, flow->pipe);
    flow->pipe = NULL;
    if (size < 0 && errno == EINVAL)
        flow->unspliced = true;
    else if (size < 0 && !would_block())
        return LOST_FROM;
    /* The end; or nothing has come; or urgent data stands in the way, which stops
     * splicing but not reading. */
    return BLOCKED;
}

/* Read into the buffer, and pass it on at once. */
static enum step copy(struct loop *loop, struct flow *flow, struct side *from,
                      struct side *to)
{
    ssize_t size = recv(from->descriptor, loop->buffer, BUFFER, MSG_DONTWAIT), sent;

    if (size < 0) {
        if (!would_block())
            return LOST_FROM;
        from->readable = false;
        return BLOCKED;
    }
    if (size < BUFFER && !from->to_the_end)
        from->readable = false; /* more would be told; saves asking for it */
    touch(loop, pair_of(from));
    if (size == 0) {
        atomic_fetch_or_explicit(&pair_of(from)->ended,
                                 (uint8_t)(1 << from->is_backend),
                                 memory_order_relaxed);
        return BLOCKED;
    }
    if (flow->full < BULK)
        flow->full = size < BUFFER ? 0 : flow->full + 1;
    sent = send(to->descriptor, loop->buffer, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        if (!would_block())
            return LOST_TO;
        sent = 0;
    }
    pass(flow, (size_t)sent);
    if (sent == size)
        return MOVED;
    to->writable = false;
    return hold(flow, loop->buffer + sent, (size_t)(size - sent)) ? BLOCKED : NO_MEMORY;
}

/* Take something from a side that the other one has room for. */
static enum step pull(struct loop *loop, struct flow *flow, struct side *from,
                      struct side *to)
{
    enum step step = BLOCKED;

    if (flow->full == BULK && !flow->unspliced)
        step = splice_in(loop, flow, from);
    if (step == BLOCKED)
        step = copy(loop, flow, from, to);
    return step;
}

/* Move what can be moved from one side to the other, for a turn. */
static enum step pump(struct loop *loop, struct pair *pair, int which)
{
    struct flow *flow = &pair->flows[which];
    struct side *from = &pair->sides[which], *to = &pair->sides[!which];
    uint64_t before = atomic_load_explicit(&flow->passed, memory_order_relaxed);
    enum step step = MOVED;

    while (step == MOVED) {
        if (pending(flow) != 0) {
            step = push(loop, flow, to);
        } else if (!from->readable || !to->writable || has_ended(pair, which)) {
            step = BLOCKED;
        } else if (atomic_load_explicit(&flow->passed, memory_order_relaxed) - before >=
                   TURN) {
            loop_again(loop, pair);
            step = BLOCKED;
        } else {
            step = pull(loop, flow, from, to);
        }
    }
    return step;
}

/* -- deadlines */

/* Whether the wait is for the side that has not ended. */
static bool half_waits(const struct pair *pair)
{
    return atomic_load_explicit(&pair->ended, memory_order_relaxed) != 0 &&
           pair->half_close != NEVER && pair->half_close < pair->idle;
}

static uint64_t deadline(const struct pair *pair)
{
    uint64_t wait = half_waits(pair) ? pair->half_close : pair->idle;

    if (wait == NEVER)
        return NEVER;
    return atomic_load_explicit(&pair->touched, memory_order_relaxed) + wait;
}

static void arm(struct loop *loop, struct pair *pair)
{
    uint64_t at = deadline(pair);

    if (at != NEVER)
        wheel_put(&loop->wheel, &pair->timer, at);
}

/* -- the end */

static void end(struct loop *loop, struct pair *pair, enum end how)
{
    if (!pair->closing)
        pair->how = (uint8_t)how;
    for (int which = CLIENT; which <= BACKEND; which++) {
        loop_close(loop, &pair->sides[which]);
        drop(loop, &pair->flows[which]);
    }
    loop_ended(loop, pair);
}

/* Have closing send a reset, and take with it what is under way. */
static void taint(const struct side *side)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (side->descriptor >= 0)
        setsockopt(side->descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void pair_reset(struct loop *loop, struct pair *pair, enum end how)
{
    if (pair->gone)
        return;
    taint(&pair->sides[CLIENT]);
    taint(&pair->sides[BACKEND]);
    end(loop, pair, how);
}

void pair_close(struct loop *loop, struct pair *pair, enum end how)
{
    if (!pair->gone)
        end(loop, pair, how);
}

static void finish(struct side *side)
{
    if (!side->finished) {
        side->finished = true;
        /* It fails where the peer has reset, which reading tells. */
        shutdown(side->descriptor, SHUT_WR);
    }
}

/* Octets that the peers have not taken yet. */
static size_t under_way(const struct pair *pair)
{
    size_t size = 0;

    for (int which = CLIENT; which <= BACKEND; which++) {
        const struct side *side = &pair->sides[which];
        int queued;

        size += pending(&pair->flows[which]);
        if (side->descriptor >= 0 && ioctl(side->descriptor, TIOCOUTQ, &queued) == 0)
            size += (size_t)queued;
    }
    return size;
}

/* Read into nothing for a turn. @return: whether the peer has not ended yet. */
static bool discard(struct loop *loop, struct side *side)
{
    size_t total = 0;

    while (side->readable && total < TURN) {
        ssize_t size = recv(side->descriptor, loop->buffer, BUFFER, MSG_DONTWAIT);

        if (size == 0 || (size < 0 && !would_block()))
            return false;
        if (size < 0)
            side->readable = false;
        else
            total += (size_t)size;
    }
    if (side->readable)
        loop_again(loop, pair_of(side));
    return true;
}

/* Go on to end one side. */
static void close_side(struct loop *loop, struct pair *pair, int which)
{
    struct flow *flow = &pair->flows[!which];
    struct side *side = &pair->sides[which];
    enum step step = MOVED;

    if (side->descriptor < 0)
        return;
    while (pending(flow) != 0 && step == MOVED)
        step = push(loop, flow, side);
    if (step == LOST_TO) {
        taint(side);
        drop(loop, flow);
    } else if (pending(flow) != 0) {
        return;
    } else if (which == CLIENT && pair->lingering) {
        finish(side);
        if (discard(loop, side))
            return;
    }
    loop_close(loop, side);
}

static void close_both(struct loop *loop, struct pair *pair)
{
    close_side(loop, pair, CLIENT);
    close_side(loop, pair, BACKEND);
    if (pair->sides[CLIENT].descriptor < 0 && pair->sides[BACKEND].descriptor < 0)
        end(loop, pair, OPEN);
}

/* End both sides, but let what is under way arrive. */
static void begin_to_close(struct loop *loop, struct pair *pair, enum end how)
{
    uint64_t received = atomic_load_explicit(&pair->flows[BACKEND].passed,
                                             memory_order_relaxed);
    uint64_t touched = atomic_load_explicit(&pair->touched, memory_order_relaxed);

    pair->how = (uint8_t)how;
    pair->closing = true;
    /* To close while there is input that nobody has read resets the connection, and a
     * reset takes output with it that is still under way. RFC 1122 section 4.2.2.13. */
    pair->lingering =
        !has_ended(pair, CLIENT) && received > 0 && loop->now - touched < LINGER;
    pair->under_way = under_way(pair);
    wheel_put(&loop->wheel, &pair->timer, loop->now + LINGER);
    close_both(loop, pair);
}

void pair_expire(struct loop *loop, struct pair *pair)
{
    if (pair->closing) {
        size_t left = under_way(pair);

        if (left >= pair->under_way) {
            pair_reset(loop, pair, OPEN);
        } else {
            pair->under_way = left;
            wheel_put(&loop->wheel, &pair->timer, loop->now + LINGER);
        }
    } else if (deadline(pair) > loop->now) {
        arm(loop, pair);
    } else {
        begin_to_close(loop, pair,
                       half_waits(pair) ? HALF_CLOSE_TIMEOUT : IDLE_TIMEOUT);
    }
}

/* -- what the loop tells */

/* Whether there is an error, which this takes away. */
static bool is_reset(const struct side *side)
{
    int error = 0;
    socklen_t size = sizeof error;

    getsockopt(side->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    return error != 0;
}

/* Whether there is an error on a side which reading it would not come to. */
static bool is_lost(struct pair *pair, int which)
{
    struct side *side = &pair->sides[which];

    if (!side->broken || !(has_ended(pair, which) || pending(&pair->flows[which]) != 0 ||
                           !pair->sides[!which].writable))
        return false;
    side->broken = false;
    return is_reset(side);
}

/* @return: OPEN; how the pair ended without an orderly end. */
static enum end relay(struct loop *loop, struct pair *pair)
{
    for (int which = CLIENT; which <= BACKEND; which++) {
        switch (pump(loop, pair, which)) {
        case LOST_FROM:
            return lost(which);
        case LOST_TO:
            return lost(!which);
        case NO_MEMORY:
            pair->error = ENOMEM;
            return FAILED;
        default:
            break;
        }
    }
    for (int which = CLIENT; which <= BACKEND; which++)
        if (is_lost(pair, which))
            return lost(which);
    return OPEN;
}

void pair_service(struct loop *loop, struct pair *pair)
{
    uint8_t before, ended;
    enum end how;

    if (pair->closing) {
        close_both(loop, pair);
        return;
    }
    before = atomic_load_explicit(&pair->ended, memory_order_relaxed);
    how = relay(loop, pair);
    ended = atomic_load_explicit(&pair->ended, memory_order_relaxed);
    if (how != OPEN) {
        pair_reset(loop, pair, how);
        return;
    }
    if (ended == (1 << CLIENT | 1 << BACKEND)) {
        /* What came together with the client's end had no time to be refused before. */
        if (!(before & 1 << CLIENT) && is_reset(&pair->sides[BACKEND]))
            end(loop, pair, BACKEND_LOST);
        else if (pending(&pair->flows[CLIENT]) != 0)
            begin_to_close(loop, pair, DONE); /* it had ended before it was ours */
        else
            end(loop, pair, DONE);
        return;
    }
    for (int which = CLIENT; which <= BACKEND; which++)
        if (has_ended(pair, which) && pending(&pair->flows[which]) == 0)
            finish(&pair->sides[!which]);
    if (ended != before)
        arm(loop, pair);
}

/* @return: whether it could begin. */
static bool begin(struct loop *loop, struct pair *pair)
{
    pair->known = loop->fresh = true;
    touch(loop, pair);
    pair->error = loop_watch(loop, &pair->sides[BACKEND]);
    if (pair->error != 0) {
        pair_reset(loop, pair, FAILED);
        return false;
    }
    arm(loop, pair);
    return true;
}

void pair_event(struct loop *loop, struct side *side, uint32_t events)
{
    struct pair *pair = pair_of(side);

    if (pair->gone || side->descriptor < 0)
        return;
    if (!pair->known && !begin(loop, pair))
        return;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
        side->to_the_end = true;
    if (side->to_the_end || events & EPOLLIN)
        side->readable = true;
    if (events & (EPOLLOUT | EPOLLERR))
        side->writable = true;
    if (events & EPOLLERR)
        side->broken = true;
    pair_service(loop, pair);
}
