/*
 * backend: the server behind the measured proxy; wire.h says what it does.
 *
 *   backend [PORT]
 *
 * Listens on PORT of 127.0.0.1, or a free one, prints {"port": N} and serves until
 * standard input ends, so that it never outlives the program that started it.
 * One thread, one level-triggered epoll. Sinks discard with MSG_TRUNC: the
 * kernel then copies nothing, and the core shared with load is left to load.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    uint8_t opening;   /* octets of the request read so far */
    char mode;
    uint8_t told;      /* octets of the final count sent so far */
    bool ending;       /* the client's FIN was seen; the count is on its way */
    uint64_t moved;    /* octets taken ('u') or sent ('d') after the opening */
};

static struct client *clients;   /* by descriptor */
static size_t most;
static int poller;
static char answer[OPENING];
static char filler[PIECE];
static char scratch[64 * 1024];

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(poller, operation, fd, &event) < 0)
        die("epoll_ctl");
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
        die("socket");   /* the port is free at once when a backend was killed */
    if (bind(fd, (void *)&address, sizeof address) < 0)
        die("bind");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
        die("TCP_NODELAY");   /* accepted sockets inherit it */
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
    if (getsockname(fd, (void *)&address, &size) < 0)
        die("getsockname");
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_some(int listener)
{
    for (int turn = 0; turn < 64; turn++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

        if (fd < 0)
            return;
        if ((size_t)fd >= most) {
            close(fd);
            continue;
        }
        clients[fd] = (struct client){0};
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

/* @return whether a failed call is worth another try at the next event. */
static bool again(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Send what is left of the final count; close when all of it is out. */
static void tell(int fd, struct client *client)
{
    const char *count = (const char *)&client->moved;
    ssize_t sent = send(fd, count + client->told, sizeof client->moved - client->told,
                        MSG_NOSIGNAL);

    if (sent > 0)
        client->told += (uint8_t)sent;
    if (client->told == sizeof client->moved || (sent < 0 && !again(sent)))
        close(fd);
    else
        watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void end(int fd, struct client *client)
{
    client->ending = true;
    tell(fd, client);
}

static void sink(int fd, struct client *client)
{
    for (int turn = 0; turn < TURNS; turn++) {
        ssize_t got = recv(fd, NULL, GULP, MSG_TRUNC);

        if (got == 0) {
            end(fd, client);
            return;
        }
        if (got < 0) {
            if (!again(got))
                close(fd);
            return;
        }
        client->moved += got;
    }
}

static void source(int fd, struct client *client, uint32_t events)
{
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t got = recv(fd, scratch, sizeof scratch, 0);

        if (got == 0) {
            end(fd, client);
            return;
        }
        if (!again(got)) {   /* a client that talks breaks the rules: leave */
            close(fd);
            return;
        }
    }
    for (int turn = 0; turn < TURNS; turn++) {
        ssize_t sent = send(fd, filler, sizeof filler, MSG_NOSIGNAL);

        if (sent < 0) {
            if (!again(sent))
                close(fd);
            return;
        }
        client->moved += sent;
    }
}

/* Ping-pong; 's' and 'i' send nothing more, so only their end is seen here. */
static void echo(int fd)
{
    ssize_t got = recv(fd, scratch, sizeof scratch, 0);

    if (again(got))
        return;
    /* A message is far smaller than a socket buffer: a short send is a fault. */
    if (got <= 0 || send(fd, scratch, got, MSG_NOSIGNAL) != got)
        close(fd);
}

static void open_up(int fd, struct client *client)
{
    char request[OPENING];
    ssize_t got = recv(fd, request, OPENING - client->opening, 0);

    if (again(got))
        return;
    if (got <= 0) {
        close(fd);
        return;
    }
    if (client->opening <= MODE_AT && client->opening + got > MODE_AT)
        client->mode = request[MODE_AT - client->opening];
    client->opening += (uint8_t)got;
    if (client->opening < OPENING)
        return;
    if (send(fd, answer, OPENING, MSG_NOSIGNAL) != OPENING)
        close(fd);
    else if (client->mode == 'd')
        watch(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
}

static void serve(int fd, uint32_t events)
{
    struct client *client = &clients[fd];

    if (client->ending)
        tell(fd, client);
    else if (client->opening < OPENING)
        open_up(fd, client);
    else if (client->mode == 'u')
        sink(fd, client);
    else if (client->mode == 'd')
        source(fd, client, events);
    else
        echo(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event ready[EVENTS];
    int listener;

    most = prepare_process();
    clients = calloc(most, sizeof *clients);
    poller = epoll_create1(0);
    if (clients == NULL || poller < 0)
        die("backend");
    memset(answer, 'a', sizeof answer);
    memset(filler, 'f', sizeof filler);
    listener = listen_on(argc > 1 ? (uint16_t)atoi(argv[1]) : 0);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN);
    for (;;) {
        int count = epoll_wait(poller, ready, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd == STDIN_FILENO)
                return 0;
            if (ready[i].data.fd == listener)
                accept_some(listener);
            else
                serve(ready[i].data.fd, ready[i].events);
        }
    }
}
