/* A client and its backend: what moves between them, and how it ends. */

#ifndef PORTMUX_PAIR_H
#define PORTMUX_PAIR_H

#include "pipes.h"
#include "wheel.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum { CLIENT, BACKEND };

enum end {
    OPEN,
    DONE,
    CLIENT_LOST,
    BACKEND_LOST,
    IDLE_TIMEOUT,
    HALF_CLOSE_TIMEOUT,
    STOPPED,
    FAILED,
};

struct pair;
struct loop;

struct side {
    int descriptor;    /* -1: closed */
    bool is_backend;   /* its place in its pair */
    bool readable : 1; /* until reading says that it is not; so with writable */
    bool writable : 1;
    bool to_the_end : 1; /* a short read does not mean that nothing is left */
    bool broken : 1;     /* an error waits to be read */
    bool finished : 1;   /* was told the end, behind all that was for it */
};

/* From a side to the other. What it has taken is in one place at the most. */
struct flow {
    struct pipe *pipe;
    char *held;
    uint32_t piped;
    uint32_t first, last; /* of what is held */
    uint8_t full;   /* reads in a row that filled the buffer */
    uint8_t small;  /* spliced pieces in a row that were small */
    bool unspliced; /* the kernel cannot splice from this socket */
    _Atomic uint64_t passed;
};

struct pair {
    struct side sides[2];
    struct flow flows[2]; /* from the side with that index */
    struct timer timer;
    uint64_t idle, half_close; /* milliseconds; NEVER: any time */
    _Atomic uint64_t touched;  /* milliseconds of the loop's clock: a byte moved */
    _Atomic uint8_t ended;     /* bits: the sides that will send no more */
    bool known;                /* to the loop's thread */
    bool again;                /* in the loop's queue of that name */
    bool unblocked;            /* its sockets never wait */
    bool closing;
    bool gone; /* nothing of it is left */
    bool lingering; /* the client may send on into nothing */
    uint8_t how;
    int error;       /* errno of FAILED */
    size_t under_way; /* when this was last asked, while closing */
    TAILQ_ENTRY(pair) turn;
    LIST_ENTRY(pair) live;
    STAILQ_ENTRY(pair) over;
    /* Below is the lock's. */
    LIST_ENTRY(pair) wish;
    bool unwanted, orderly, told;
};

static inline struct pair *pair_of(struct side *side)
{
    return (struct pair *)((char *)(side - side->is_backend) -
                           offsetof(struct pair, sides));
}

/* The loop has heard of one of the pair's sockets. */
void pair_event(struct loop *loop, struct side *side, uint32_t events);

/* Go on where a turn was over. */
void pair_service(struct loop *loop, struct pair *pair);

/* Its timer was told. */
void pair_expire(struct loop *loop, struct pair *pair);

/* Reset both sides, whatever is under way. */
void pair_reset(struct loop *loop, struct pair *pair, enum end how);

/* Close both sides: what the system has of theirs still arrives, then the end. */
void pair_close(struct loop *loop, struct pair *pair, enum end how);

/* Take over a copy of bytes that the backend is to have first. @return: 0; an errno. */
int pair_hold(struct pair *pair, const char *bytes, size_t size);

/* Give back what it holds, before it was begun. */
void pair_forget(struct pair *pair);

#endif
