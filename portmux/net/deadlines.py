"""One reactor timer for the deadlines of all sessions."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from portmux.core.wheel import Wheel


class Expiring(Protocol):
    """Something that has to act when its time has come."""

    def expire(self) -> None: ...


class Deadlines:
    """Calls C{expire} of what was put in, once, when its time has come."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._wheel: Wheel[Expiring] = Wheel()
        self._call: IDelayedCall | None = None
        self._at = 0.0

    def put(self, item: Expiring, deadline: float) -> None:
        """@param deadline: seconds of the clock; replaces an earlier one."""
        self._wheel.put(item, deadline)
        if self._call is None or deadline < self._at:
            self._arm()

    def discard(self, item: Expiring) -> None:
        """The timer may still run out for nothing; that is cheaper than moving it."""
        self._wheel.discard(item)

    def stop(self) -> None:
        """Forget everything."""
        self._wheel = Wheel()
        if self._call is not None:
            self._call.cancel()
            self._call = None

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
