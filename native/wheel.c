#include "wheel.h"

#include <stddef.h>

#define BIT(slot) (UINT64_C(1) << ((slot) % 64))

void wheel_remove(struct wheel *wheel, struct timer *timer)
{
    if (timer->slot == 0)
        return;
    unsigned slot = timer->slot - 1u;

    LIST_REMOVE(timer, link);
    timer->slot = 0;
    if (LIST_EMPTY(&wheel->slots[slot]))
        wheel->used[slot / 64] &= ~BIT(slot);
}

void wheel_put(struct wheel *wheel, struct timer *timer, uint64_t at)
{
    uint64_t tick = at / WHEEL_TICK + 1;

    if (tick < wheel->turned)
        tick = wheel->turned;
    if (tick >= wheel->turned + WHEEL_SLOTS)
        tick = wheel->turned + WHEEL_SLOTS - 1;
    unsigned slot = tick % WHEEL_SLOTS;

    wheel_remove(wheel, timer);
    LIST_INSERT_HEAD(&wheel->slots[slot], timer, link);
    timer->slot = (uint16_t)(slot + 1);
    wheel->used[slot / 64] |= BIT(slot);
}

/* The first tick whose slot is used; NEVER: there is none. */
static uint64_t first(const struct wheel *wheel)
{
    uint64_t tick = wheel->turned, end = tick + WHEEL_SLOTS;

    while (tick < end) {
        unsigned slot = tick % WHEEL_SLOTS;
        uint64_t bits = wheel->used[slot / 64] >> (slot % 64);

        if (bits != 0) {
            tick += (unsigned)__builtin_ctzll(bits);
            return tick < end ? tick : NEVER;
        }
        tick += 64 - slot % 64;
    }
    return NEVER;
}

uint64_t wheel_next(const struct wheel *wheel)
{
    uint64_t tick = first(wheel);

    return tick == NEVER ? NEVER : tick * WHEEL_TICK;
}

void wheel_turn(struct wheel *wheel, uint64_t now)
{
    uint64_t tick = first(wheel), current = now / WHEEL_TICK;

    if (tick > current)
        tick = current;
    if (tick > wheel->turned)
        wheel->turned = tick;
}

struct timer *wheel_due(struct wheel *wheel, uint64_t now)
{
    wheel_turn(wheel, now);
    if (wheel->turned > now / WHEEL_TICK)
        return NULL;
    struct timer *timer = LIST_FIRST(&wheel->slots[wheel->turned % WHEEL_SLOTS]);

    if (timer != NULL)
        wheel_remove(wheel, timer);
    return timer;
}
