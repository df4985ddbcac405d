/*
 * load: drive a proxy, or a backend directly, and say on standard output, as
 * one line of JSON, what came of it. wire.h describes the conversation.
 *
 *   load --mode short|up|down|pp|idle --port N --count N --seconds S
 *
 * short  COUNT slots; each connects, sends 64 octets, reads 64, closes, again
 * up     COUNT streams send as much as they can, then half-close
 * down   COUNT streams take as much as they can, then half-close
 * pp     COUNT connections; each sends 64 octets, waits for 64, again
 * idle   COUNT connections are opened and held until standard input ends
 *
 * The line has: mode, count; seconds the timed part took; exchanges done in it;
 * bytes moved in it, and in total with what came after the half-close; exact,
 * the streams whose counts agreed after it; errors; and p50_us and p99_us, the
 * time of an exchange (with connecting, in short).
 */
#define _GNU_SOURCE
#include "stream.h"

#include <getopt.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MOST_COUNT = 100000,
    MOST_SECONDS = 60,
    ALARM_SECONDS = 40,      /* beyond the timed part: leave, whatever hangs */
    CLOSE_SECONDS = 5,       /* until all half-closed streams must have ended */
    TIMES_PER_SECOND = 250000   /* room for this many exchanges */
};

static struct {
    const char *mode;
    long count;
    double seconds;
} wanted;

static struct stream *streams;
static char piece[PIECE];
static uint32_t *times;   /* nanoseconds of each finished exchange */
static size_t done, times_kept, times_most;
static uint64_t bytes, total, exact;
static double elapsed;

static void note_time(struct stream *stream)
{
    uint64_t took = now() - stream->since;

    done++;
    bytes += 2 * OPENING;
    if (times_kept < times_most)
        times[times_kept++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
}

/* Move what one bulk stream can move in its turn. */
static void move(struct stream *stream, bool up)
{
    for (int turn = 0; turn < TURNS; turn++) {
        ssize_t moved = up ? send(stream->fd, piece, sizeof piece, MSG_NOSIGNAL)
                           : recv(stream->fd, NULL, GULP, MSG_TRUNC);

        if (again(moved))
            return;
        if (moved <= 0) {
            fail(stream);
            return;
        }
        stream->moved += (uint64_t)moved;
        bytes += (uint64_t)moved;
    }
}

/* Read one half-closed stream; C{last} keeps its last eight octets, which are
 * the backend's count once the stream ends. */
static void drain(struct stream *stream, bool up, char last[sizeof(uint64_t)])
{
    const size_t keep = sizeof(uint64_t);
    ssize_t got = recv(stream->fd, piece, sizeof piece, 0);
    uint64_t count;

    if (again(got))
        return;
    if (got > 0) {
        size_t fresh = (size_t)got < keep ? (size_t)got : keep;

        memmove(last, last + fresh, keep - fresh);
        memcpy(last + keep - fresh, piece + got - fresh, fresh);
        stream->got += up ? (uint32_t)got : 0;
        stream->moved += up ? 0 : (uint64_t)got;
        return;
    }
    memcpy(&count, last, keep);
    if (!up)
        stream->moved -= stream->moved < keep ? stream->moved : keep;
    if (got == 0 && count == stream->moved && (!up || stream->got == keep))
        exact++;
    finish(stream);
}

/* Half-close every stream that lives, and see that its count is exact. */
static void half_close(bool up)
{
    struct epoll_event ready[EVENTS];
    uint64_t limit = now() + CLOSE_SECONDS * SECOND;
    char(*last)[sizeof(uint64_t)] = calloc((size_t)wanted.count, sizeof *last);
    long left = 0;

    if (last == NULL)
        die("calloc");
    for (long i = 0; i < wanted.count; i++) {
        if (streams[i].fd < 0)
            continue;
        left++;
        streams[i].got = 0;
        shutdown(streams[i].fd, SHUT_WR);
        watch(EPOLL_CTL_MOD, &streams[i], EPOLLIN);
    }
    while (left > 0 && now() < limit) {
        int woken = epoll_wait(poller, ready, EVENTS, 100);

        for (int i = 0; i < woken; i++) {
            struct stream *stream = ready[i].data.ptr;

            drain(stream, up, last[stream - streams]);
            left -= stream->fd < 0;
        }
    }
    free(last);
}

static void run_bulk(bool up)
{
    struct epoll_event ready[EVENTS];
    long open = open_all(streams, wanted.count);
    uint64_t begin, limit;

    for (long i = 0; i < wanted.count; i++) {
        if (streams[i].fd >= 0)
            watch(EPOLL_CTL_MOD, &streams[i], up ? EPOLLOUT : EPOLLIN);
    }
    begin = now();
    limit = begin + (uint64_t)(wanted.seconds * SECOND);
    while (open > 0 && now() < limit) {
        int woken = epoll_wait(poller, ready, EVENTS, 100);

        for (int i = 0; i < woken; i++) {
            struct stream *stream = ready[i].data.ptr;

            move(stream, up);
            open -= stream->fd < 0;
        }
    }
    elapsed = (double)(now() - begin) / SECOND;
    half_close(up);
    for (long i = 0; i < wanted.count; i++)
        total += streams[i].moved;
}

/* The next exchange of a stream whose answer is whole. */
static void next_exchange(struct stream *stream, bool fresh)
{
    note_time(stream);
    if (fresh) {
        finish(stream);
        dial(stream);
        return;
    }
    stream->got = 0;
    stream->since = now();
    if (send(stream->fd, request, OPENING, MSG_NOSIGNAL) != OPENING)
        fail(stream);
}

/* Exchange after exchange; C{fresh}: each on a connection of its own. */
static void run_exchanges(bool fresh)
{
    struct epoll_event ready[EVENTS];
    uint64_t begin, limit;

    if (!fresh)
        open_all(streams, wanted.count);
    begin = now();
    for (long i = 0; i < wanted.count; i++) {
        if (fresh) {
            dial(&streams[i]);
        } else if (streams[i].fd >= 0) {
            watch(EPOLL_CTL_MOD, &streams[i], EPOLLIN);
            streams[i].got = 0;
            streams[i].since = begin;
            if (send(streams[i].fd, request, OPENING, MSG_NOSIGNAL) != OPENING)
                fail(&streams[i]);
        }
    }
    limit = begin + (uint64_t)(wanted.seconds * SECOND);
    while (now() < limit) {
        int woken = epoll_wait(poller, ready, EVENTS, 100);

        for (int i = 0; i < woken; i++) {
            struct stream *stream = ready[i].data.ptr;
            int state = carry_on(stream);

            if (state == 1)
                next_exchange(stream, fresh);
            else if (state < 0 && fresh)
                dial(stream);
        }
    }
    elapsed = (double)(now() - begin) / SECOND;
    for (long i = 0; i < wanted.count; i++) {
        /* An exchange of more than a second is one that will never end. */
        if (streams[i].fd >= 0 && now() - streams[i].since > SECOND)
            errors++;
    }
    total = bytes;
}

static int by_size(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static double quantile(double part)
{
    return times_kept ? times[(size_t)((double)(times_kept - 1) * part)] / 1e3 : 0;
}

static void report(void)
{
    qsort(times, times_kept, sizeof *times, by_size);
    printf("{\"mode\": \"%s\", \"count\": %ld, \"seconds\": %.4f, \"done\": %zu, "
           "\"bytes\": %llu, \"total\": %llu, \"exact\": %llu, \"errors\": %llu, "
           "\"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           wanted.mode, wanted.count, elapsed, done, (unsigned long long)bytes,
           (unsigned long long)total, (unsigned long long)exact,
           (unsigned long long)errors, quantile(0.5), quantile(0.99));
    fflush(stdout);
}

static void run_idle(void)
{
    char octet;

    done = (size_t)open_all(streams, wanted.count);
    report();
    while (read(STDIN_FILENO, &octet, 1) > 0)
        continue;
}

static void usage(void)
{
    fprintf(stderr,
            "usage: load --mode short|up|down|pp|idle --port 1..65535 "
            "--count 1..%d --seconds 0.01..%d\n",
            MOST_COUNT, MOST_SECONDS);
    exit(2);
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {{"mode", required_argument, NULL, 'm'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    long port_number = 0;
    int option;

    wanted.seconds = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'm': wanted.mode = optarg; break;
        case 'p': port_number = strtol(optarg, NULL, 10); break;
        case 'c': wanted.count = strtol(optarg, NULL, 10); break;
        case 's': wanted.seconds = strtod(optarg, NULL); break;
        default: usage();
        }
    }
    if (wanted.mode == NULL || optind != argc || port_number < 1 ||
        port_number > 65535 || wanted.count < 1 || wanted.count > MOST_COUNT ||
        !(wanted.seconds >= 0.01 && wanted.seconds <= MOST_SECONDS))
        usage();
    port = (uint16_t)port_number;
}

static bool mode_is(const char *name)
{
    return strcmp(wanted.mode, name) == 0;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    prepare_process();
    snprintf(request, sizeof request, "GET /%c HTTP/1.1\r\nHost: bench\r\nX-Fill: %s\r\n\r\n",
             wanted.mode[0], "----------------------");
    times_most = (size_t)(wanted.seconds * TIMES_PER_SECOND);
    times = malloc(times_most * sizeof *times);
    streams = calloc((size_t)wanted.count, sizeof *streams);
    poller = epoll_create1(0);
    if (times == NULL || streams == NULL || poller < 0)
        die("load");
    if (mode_is("idle")) {
        run_idle();
        return 0;
    }
    alarm((unsigned)wanted.seconds + ALARM_SECONDS);
    if (mode_is("up") || mode_is("down"))
        run_bulk(mode_is("up"));
    else if (mode_is("short") || mode_is("pp"))
        run_exchanges(mode_is("short"));
    else
        usage();
    report();
    return 0;
}
