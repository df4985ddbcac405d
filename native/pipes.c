#define _GNU_SOURCE
#include "pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Splicing through 64 KiB costs as much as copying, through a megabyte a third. */
#define LARGEST (1 << 20)
#define SMALLEST (1 << 18)

/* Milliseconds until the kernel is asked again after it has refused (taste). */
#define PAUSE 1000

static size_t enlarge(int descriptor)
{
    for (int size = LARGEST; size >= SMALLEST; size /= 2) {
        int got = fcntl(descriptor, F_SETPIPE_SZ, size);
        if (got >= size)
            return (size_t)got;
    }
    return 0;
}

static struct pipe *create(void)
{
    int ends[2];
    struct pipe *pipe = malloc(sizeof *pipe);

    if (pipe == NULL)
        return NULL;
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0) {
        pipe->size = enlarge(ends[1]);
        if (pipe->size != 0) {
            pipe->out = ends[0];
            pipe->in = ends[1];
            return pipe;
        }
        close(ends[0]);
        close(ends[1]);
    }
    free(pipe);
    return NULL;
}

struct pipe *pipes_take(struct pipes *pipes, uint64_t now)
{
    struct pipe *pipe = pipes->spare;

    if (pipe != NULL) {
        pipes->spare = pipe->next;
        pipes->spares--;
        return pipe;
    }
    if (pipes->open == pipes->most || now < pipes->refused_until)
        return NULL;
    pipe = create();
    if (pipe == NULL)
        pipes->refused_until = now + PAUSE;
    else
        pipes->open++;
    return pipe;
}

void pipes_give(struct pipes *pipes, struct pipe *pipe)
{
    if (pipes->spares == PIPES_SPARE) {
        pipes_drop(pipes, pipe);
        return;
    }
    pipe->next = pipes->spare;
    pipes->spare = pipe;
    pipes->spares++;
}

void pipes_drop(struct pipes *pipes, struct pipe *pipe)
{
    close(pipe->in);
    close(pipe->out);
    free(pipe);
    pipes->open--;
}

void pipes_close(struct pipes *pipes)
{
    while (pipes->spare != NULL) {
        struct pipe *pipe = pipes->spare;

        pipes->spare = pipe->next;
        pipes->spares--;
        pipes_drop(pipes, pipe);
    }
}
