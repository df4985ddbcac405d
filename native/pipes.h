/* A few pipes that many streams share: one is taken while bytes are in it. */

#ifndef PORTMUX_PIPES_H
#define PORTMUX_PIPES_H

#include <stddef.h>
#include <stdint.h>

/* How many stay open while nobody needs them (taste). */
#define PIPES_SPARE 16

struct pipe {
    int in, out;
    size_t size;
    struct pipe *next;
};

struct pipes {
    struct pipe *spare;
    unsigned most; /* open at a time */
    unsigned open, spares;
    uint64_t refused_until; /* milliseconds of the loop's clock */
};

/* An empty pipe; NULL when there is none to be had now: copy instead. */
struct pipe *pipes_take(struct pipes *pipes, uint64_t now);

/* Give it back, empty. */
void pipes_give(struct pipes *pipes, struct pipe *pipe);

/* Give it back with bytes in it that nobody wants any more. */
void pipes_drop(struct pipes *pipes, struct pipe *pipe);

/* Close those that are spare. */
void pipes_close(struct pipes *pipes);

#endif
