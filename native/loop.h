/* A thread that has pairs in hand. Its owner is another thread, always the same. */

#ifndef PORTMUX_LOOP_H
#define PORTMUX_LOOP_H

#include "pair.h"

#include <pthread.h>

/* Octets copied at a time; more is slower for single streams. */
#define BUFFER (1 << 16)

LIST_HEAD(pairs, pair);
STAILQ_HEAD(line, pair);
TAILQ_HEAD(turns, pair);

struct loop {
    int poll;
    int wake; /* an eventfd: the owner wants something */
    int told; /* an eventfd: there is something for the owner */
    pthread_t thread;
    _Atomic uint64_t ahead; /* milliseconds by which its clock is set forward */

    /* The thread's own. */
    uint64_t now; /* milliseconds */
    char *buffer;
    struct pipes pipes;
    struct wheel wheel;
    struct turns again;
    struct line ended;
    bool fresh; /* pairs have begun since it was last answered */

    pthread_mutex_t lock;
    /* Below is the lock's. */
    struct pairs live;   /* all that are not over */
    struct pairs wishes; /* those that are to be stopped */
    struct line over;
    uint64_t asked, answered; /* counts of loop_settle */
    bool quit;
    pthread_cond_t settled;
};

/* With so many pipes at the most. @return: 0, and there is a thread; an errno. */
int loop_start(struct loop *loop, unsigned pipes);

/* The last call: reset what is left, wait for the thread to end, take what is over. */
struct line loop_stop(struct loop *loop);

/* The sockets are the loop's from now on. @return: 0; an errno: they are not. */
int loop_begin(struct loop *loop, struct pair *pair);

/* Have the pair ended soon: reset, or closed in order. */
void loop_unwanted(struct loop *loop, struct pair *pair, bool orderly);

/* Wait until the thread has told of what is over by now. */
void loop_settle(struct loop *loop);

/* Have the clock jump forward. */
void loop_advance(struct loop *loop, uint64_t milliseconds);

/* Milliseconds of the clock. */
uint64_t loop_clock(struct loop *loop);

/* Take all that are over. */
struct line loop_over(struct loop *loop);

/* For pair.c, on the loop's thread: */

/* Have events of the side's socket told. @return: 0; an errno. */
int loop_watch(struct loop *loop, struct side *side);

/* Close the socket. */
void loop_close(struct loop *loop, struct side *side);

/* Have the pair serviced again when the others had a turn. */
void loop_again(struct loop *loop, struct pair *pair);

/* Nothing of the pair is left. */
void loop_ended(struct loop *loop, struct pair *pair);

#endif
