"""One reactor timer for the deadlines of all sessions."""

from __future__ import annotations

from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from portmux.core.wheel import Wheel


class Expiring(Protocol):
    """Something that has to act when its time has come."""

    def expire(self) -> None: ...


SORTING: Final = 1.0
"""Seconds that a far deadline waits for its place in the wheel (taste)."""


class Deadlines:
    """
    Calls C{expire} of what was put in, when its time has come.

    Most sessions end long before their deadlines. So those that are far away are
    only noted, and what is left of them a second later goes into the wheel.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._wheel: Wheel[Expiring] = Wheel()
        self._far: dict[Expiring, float] = {}
        self._call: IDelayedCall | None = None
        self._at = 0.0
        self._sorting: IDelayedCall | None = None
        self._sorted_at = 0.0

    def put(self, item: Expiring, deadline: float) -> None:
        """
        @param deadline: seconds of the clock. It replaces an earlier one, but
            C{expire} may still be called once for that.
        """
        if self._sorting is None:
            self._sorted_at = self._clock.seconds() + SORTING
            self._sorting = self._clock.callLater(SORTING, self._sort)
        if deadline > self._sorted_at:
            self._far[item] = deadline
        else:
            self._far.pop(item, None)
            self._place(item, deadline)

    def discard(self, item: Expiring) -> None:
        """Timers may still run out for nothing; that is cheaper than moving them."""
        self._far.pop(item, None)
        self._wheel.discard(item)

    def stop(self) -> None:
        """Forget everything."""
        self._wheel = Wheel()
        self._far.clear()
        for call in (self._call, self._sorting):
            if call is not None:
                call.cancel()
        self._call = self._sorting = None

    def _sort(self) -> None:
        self._sorting = None
        far, self._far = self._far, {}
        for item, deadline in far.items():
            self._place(item, deadline)

    def _place(self, item: Expiring, deadline: float) -> None:
        self._wheel.put(item, deadline)
        if self._call is None or deadline < self._at:
            self._arm()

    def _arm(self) -> None:
        at = self._wheel.next()
        if at is None or (self._call is not None and self._at <= at):
            return
        if self._call is not None:
            self._call.cancel()
        self._at = at
        wait = max(0.0, at - self._clock.seconds())
        self._call = self._clock.callLater(wait, self._run)

    def _run(self) -> None:
        self._call = None
        for item in self._wheel.due(self._clock.seconds()):
            item.expire()
        self._arm()
