/* Deadlines by the slot of a turning wheel: to put and to remove one costs the same
 * however many there are, and nothing is done per byte. A deadline may be noticed a
 * tick late, and one beyond the wheel's reach early: whoever is told looks again. */

#ifndef PORTMUX_WHEEL_H
#define PORTMUX_WHEEL_H

#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_SLOTS 1024 /* a multiple of 64 */
#define WHEEL_TICK 32    /* milliseconds */

#define NEVER UINT64_MAX

struct timer {
    LIST_ENTRY(timer) link;
    uint16_t slot; /* plus one; 0: in none */
};

LIST_HEAD(timers, timer);

struct wheel {
    struct timers slots[WHEEL_SLOTS];
    uint64_t used[WHEEL_SLOTS / 64]; /* a bit for each slot; set where it is not empty */
    uint64_t turned;                 /* ticks; all before are over */
};

/* Have the timer told at so many milliseconds, in place of any earlier wish. */
void wheel_put(struct wheel *wheel, struct timer *timer, uint64_t at);

void wheel_remove(struct wheel *wheel, struct timer *timer);

/* Pass over the ticks in which nothing was to be told. */
void wheel_turn(struct wheel *wheel, uint64_t now);

/* When to call wheel_due next, in milliseconds; NEVER: nothing is in. */
uint64_t wheel_next(const struct wheel *wheel);

/* Take out one timer whose time has come; NULL: there is none. */
struct timer *wheel_due(struct wheel *wheel, uint64_t now);

#endif
