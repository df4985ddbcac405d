"""
Whose command is next: control takes little of the time that sessions need.

All clients of control wait in one queue. A command is carried out at once where
nobody waits, and control has taken no more than its part of the time lately. Else its
turn comes when the reactor has seen to all others. If these had nothing to do, control
goes on as fast as it can.

Time is the thread's own, without that in which other programs ran: on a busy machine
it would seem as if everybody here were busy.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import thread_time
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

PART: Final = 0.1
"""Of the time, for control while others have something to do (taste)."""

SLICE: Final = 0.00025
"""Seconds that others wait for control at a time; one command may take longer, and the
next one waits for that long, ten times over (taste: a round trip through portmux)."""

AT_ONCE: Final = 16
"""Commands in a slice at most (taste)."""

BRIEF: Final = 0.00005
"""Seconds of a turn of the reactor in which nobody had anything to do: ten times what
such a turn takes (taste)."""

Work = Callable[[], None]


class Turns:
    """The queue of all clients."""

    def __init__(self, seconds: Callable[[], float] = thread_time) -> None:
        """@param seconds: counts what the thread has used."""
        self._seconds = seconds
        self._waiting: OrderedDict[Work, None] = OrderedDict()
        self._working = False
        self._call: IDelayedCall | None = None
        self._left = SLICE
        self._since = 0.0

    def take(self, work: Work, clock: Any) -> None:
        """
        Have C{work} called, once for all the times that this is asked for until then.

        @param clock: calls later.
        """
        self._waiting[work] = None
        if self._call is None and not self._working:
            self._count(self._seconds())
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
        now = self._seconds()
        if now - self._since < BRIEF:
            self._left = SLICE
        self._count(now)
        self._go_on(clock)

    def _count(self, now: float) -> None:
        """A part of the time that has passed is control's; it is not saved up."""
        self._left = min(SLICE, self._left + PART * (now - self._since))
        self._since = now

    def _go_on(self, clock: Any) -> None:
        self._working = True
        try:
            for _ in range(AT_ONCE):
                if self._left <= 0 or not self._waiting:
                    break
                work, _nothing = self._waiting.popitem(last=False)
                work()
                now = self._seconds()
                self._left -= now - self._since
                self._since = now
        finally:
            self._working = False
            if self._waiting:
                self._call = clock.callLater(0, self._turn, clock)
