"""
Whose command is next: control takes little of the time that sessions need.

All clients of control wait in one queue. A command is carried out at once where
nobody waits, and control has taken no more than its part of the time lately. Else its
turn comes when the reactor has seen to all others. If these had nothing to do, control
goes on as fast as it can.

Time is what the thread has used, without that in which other programs ran: on a busy
machine it would seem as if everybody here were busy. Where there is one processor only,
the other threads, which relay, count as well: what control takes is theirs.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from time import process_time, thread_time
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

PART: Final = 1 / 256
"""Of the time, for control while others have something to do: a command delays all that
is on its way through portmux, so it has to be rare that there is one (measured)."""

REST: Final = 1 / 16
"""Of the time that others leave, for control (taste)."""

SLICE: Final = 0.00025
"""Seconds that others wait for control at a time; one command may take longer, and the
next one waits the longer, up to LONGEST (taste: a round trip through portmux)."""

LONGEST: Final = 1.0
"""Seconds that a command is made to wait at most because the one before it took long
(taste)."""

AT_ONCE: Final = 16
"""Commands in a slice at most (taste)."""

PAUSE: Final = 0.005
"""Seconds in which it is seen whether others are busy. A single turn of the reactor
would not tell: clients who wait for each other leave gaps between them (measured)."""

IDLE: Final = 0.0005
"""Seconds that others use of these at most, if they are not (taste)."""

SLICES: Final = 64
"""That follow each other without such a pause when they are not (taste)."""

BRIEF: Final = 0.00005
"""Seconds that others use between two of those at most: ten times what a turn of the
reactor takes in which there was nothing to do (taste)."""

Work = Callable[[], None]


class Turns:
    """The queue of all clients."""

    def __init__(self, seconds: Callable[[], float] | None = None) -> None:
        """@param seconds: counts what has been used; None: as above."""
        self._seconds = seconds or _spent()
        self._waiting: OrderedDict[Work, None] = OrderedDict()
        self._working = False
        self._call: IDelayedCall | None = None
        self._left = SLICE
        self._since = self._at = 0.0
        self._slices = 0
        self._paused = False

    def take(self, work: Work, clock: Any) -> None:
        """
        Have C{work} called, once for all the times that this is asked for until then.

        @param clock: calls later.
        """
        self._waiting[work] = None
        if self._call is None and not self._working:
            self._count(self._seconds(), clock.seconds())
            self._go_on(clock)

    def drop(self, work: Work) -> None:
        """C{work} is not to be called any more."""
        self._waiting.pop(work, None)
        if not self._waiting and self._call is not None:
            self._call.cancel()
            self._call = None

    def _turn(self, clock: Any) -> None:
        """Everybody else had a turn since the last slice."""
        self._call = None
        os.sched_yield()  # to a thread that relays, if it waits for this processor
        now = self._seconds()
        used = now - self._since
        if self._paused:
            self._slices = SLICES if used < IDLE else 0
        elif used >= BRIEF:
            self._slices = 0
        if self._slices:
            self._slices -= 1
            self._left = SLICE
        self._count(now, clock.seconds())
        self._go_on(clock)

    def _count(self, used: float, now: float) -> None:
        """
        Parts of the time that has passed are control's; they are not saved up.

        @param used: seconds of the processor, up to now.
        """
        others = used - self._since
        left = max(0.0, now - self._at - others)
        self._left = min(SLICE, self._left + PART * others + REST * left)
        self._since, self._at = used, now

    def _go_on(self, clock: Any) -> None:
        self._working = True
        try:
            for _ in range(AT_ONCE):
                if self._left <= 0 or not self._waiting:
                    break
                work, _nothing = self._waiting.popitem(last=False)
                work()
                now = self._seconds()
                left = self._left - (now - self._since)
                self._left = max(left, -PART * LONGEST)
                self._since, self._at = now, clock.seconds()
        finally:
            self._working = False
            if self._waiting:
                self._paused = self._left <= 0 and not self._slices
                pause = PAUSE if self._paused else 0
                self._call = clock.callLater(pause, self._turn, clock)


def _spent() -> Callable[[], float]:
    return process_time if len(os.sched_getaffinity(0)) == 1 else thread_time
