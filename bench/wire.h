/*
 * What load and backend say to each other, and what both need to say it.
 *
 * A connection opens with a request of OPENING octets that looks like HTTP, so
 * that a proxy has something to recognise; its octet at MODE_AT tells the
 * backend what to do. The backend answers with OPENING octets. Then:
 *
 *   's'  short: nothing more; the client closes
 *   'i'  idle: nothing more; the client keeps the connection
 *   'p'  ping-pong: every octet comes back
 *   'u'  up: the client sends until its FIN; the backend then answers with the
 *        count of octets it took (a uint64_t in host order) and closes
 *   'd'  down: the backend sends until the client's FIN, then the count of
 *        octets it sent before the count, in the same form, and closes
 *
 * The two counts show that a half-closed connection lost nothing.
 */
#ifndef PORTMUX_BENCH_WIRE_H
#define PORTMUX_BENCH_WIRE_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    OPENING = 64,
    MODE_AT = 5,
    PIECE = 256 * 1024,   /* octets offered to one send() of a bulk stream */
    GULP = 1024 * 1024,   /* octets one recv() of a bulk stream may discard */
    TURNS = 4,            /* calls on one stream before the next has its turn */
    EVENTS = 256          /* events taken from one epoll_wait() */
};

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Raise the soft limit of descriptors to the hard one and return it; a peer
 * that goes away must not kill us with SIGPIPE. */
static inline size_t prepare_process(void)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        die("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        die("setrlimit");
    return (size_t)files.rlim_cur;
}

#endif
