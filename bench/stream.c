/* Connections of load: dialling, the first exchange, opening many; stream.h. */
#define _GNU_SOURCE
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    OPENING_AT_ONCE = 64,    /* connections waiting for their first answer */
    OPEN_SECONDS = 20        /* all connections must be open after this */
};

int poller;
uint16_t port;
char request[OPENING + 1];
uint64_t errors;

uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

bool again(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

void watch(int operation, struct stream *stream, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = stream};

    if (epoll_ctl(poller, operation, stream->fd, &event) < 0)
        die("epoll_ctl");
}

void finish(struct stream *stream)
{
    close(stream->fd);
    stream->fd = -1;
}

void fail(struct stream *stream)
{
    errors++;
    finish(stream);
}

void dial(struct stream *stream)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int one = 1;

    *stream = (struct stream){.since = now()};
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (stream->fd < 0)
        die("socket");
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(stream->fd, (void *)&address, sizeof address) < 0 &&
        errno != EINPROGRESS) {
        fail(stream);
        return;
    }
    stream->asked = send(stream->fd, request, OPENING, MSG_NOSIGNAL) == OPENING;
    watch(EPOLL_CTL_ADD, stream, stream->asked ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

int carry_on(struct stream *stream)
{
    char answer[OPENING];
    ssize_t got;

    if (!stream->asked) {
        ssize_t sent = send(stream->fd, request, OPENING, MSG_NOSIGNAL);

        if (sent == OPENING) {
            stream->asked = true;
            watch(EPOLL_CTL_MOD, stream, EPOLLIN);
        } else if (!again(sent)) {
            fail(stream);
            return -1;
        }
        return 0;
    }
    got = recv(stream->fd, answer, OPENING - stream->got, 0);
    if (again(got))
        return 0;
    if (got <= 0) {
        fail(stream);
        return -1;
    }
    stream->got += (uint32_t)got;
    return stream->got == OPENING;
}

long open_all(struct stream *streams, long count)
{
    struct epoll_event ready[EVENTS];
    uint64_t limit = now() + OPEN_SECONDS * SECOND;
    long begun = 0, open = 0;

    while (open + (long)errors < count && now() < limit) {
        while (begun < count && begun - open - (long)errors < OPENING_AT_ONCE)
            dial(&streams[begun++]);
        int woken = epoll_wait(poller, ready, EVENTS, 100);

        for (int i = 0; i < woken; i++) {
            struct stream *stream = ready[i].data.ptr;

            if (stream->open) {   /* only an error or a hang-up can wake it */
                open--;
                fail(stream);
            } else if (carry_on(stream) == 1) {
                stream->open = true;
                open++;
                watch(EPOLL_CTL_MOD, stream, 0);
            }
        }
    }
    for (long i = 0; i < count; i++) {
        if (i >= begun) {
            streams[i].fd = -1;
            errors++;
        } else if (streams[i].fd >= 0 && !streams[i].open) {
            fail(&streams[i]);
        }
    }
    return open;
}
