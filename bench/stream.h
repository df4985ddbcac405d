/*
 * One connection of load, and how many of them are opened.
 *
 * Times are in nanoseconds. Whoever ends a connection says why: finish() is a
 * good end, fail() is counted in errors.
 */
#ifndef PORTMUX_BENCH_STREAM_H
#define PORTMUX_BENCH_STREAM_H

#include "wire.h"

#include <stdbool.h>
#include <sys/types.h>

#define SECOND 1000000000ull

struct stream {
    int fd;          /* -1 once it has ended */
    bool asked;      /* the request has been sent */
    bool open;       /* the first answer has arrived whole */
    uint32_t got;    /* octets of the present answer read so far */
    uint64_t since;  /* when the present exchange began */
    uint64_t moved;  /* octets of a bulk stream */
};

extern int poller;                   /* the epoll all streams are in */
extern uint16_t port;                /* of 127.0.0.1, where streams connect */
extern char request[OPENING + 1];    /* what they say first */
extern uint64_t errors;              /* connections that failed */

uint64_t now(void);

/* @return whether a failed call is worth another try at the next event. */
bool again(ssize_t result);

void watch(int operation, struct stream *stream, uint32_t events);
void finish(struct stream *stream);
void fail(struct stream *stream);

/* Begin an exchange: connect and, where the handshake is done at once, as on
 * loopback, send the request with it. */
void dial(struct stream *stream);

/* Carry on an exchange.
 * @return 1 when the answer is whole, 0 when it is not, -1 when it failed. */
int carry_on(struct stream *stream);

/* Open all streams and wait for the first answer on each. An open stream is
 * watched for nothing until its mode begins.
 * @return how many are open. */
long open_all(struct stream *streams, long count);

#endif
