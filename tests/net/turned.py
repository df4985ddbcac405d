"""The real epoll reactor for tests, but time stands still and turns are ours."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

from twisted.internet.epollreactor import EPollReactor

PATIENCE = 20.0
"""Seconds for the kernel or another process to do its part, on a busy machine."""

MANY = 10_000
"""Turns that nothing in a test comes near to."""


class Turned(EPollReactor):
    """
    A reactor of its own beside trial's: never run, only turned by hand.

    @ivar now: seconds; moves by L{advance} only.
    @ivar turns: how often descriptors were ready.
    """

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.turns = 0
        super().__init__()

    def installWaker(self) -> None:
        """No thread and no signal ever has to wake it."""

    def seconds(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass, and do what is due then."""
        self.now += seconds
        self.runUntilCurrent()
        while self.timeout() == 0:  # what was due has made more due
            self.runUntilCurrent()

    def turn(self, wait: float = 0.0) -> bool:
        """
        Do what timers that are due and descriptors ask for, once.

        @param wait: seconds for a first descriptor to become ready.
        @return: whether any descriptor was ready.
        """
        self.runUntilCurrent()
        ready, _, _ = select.select([self._poller], [], [], wait)
        if ready:
            self.turns += 1
            self.doIteration(0)
        self.runUntilCurrent()
        return bool(ready)

    def settle(self) -> None:
        """
        Turn until nothing is left to do without waiting.

        @raise AssertionError: there is always something: a busy loop.
        """
        for _ in range(MANY):
            if not self.turn():
                return
        raise AssertionError(f"no rest after {MANY} turns")

    def until(self, done: Callable[[], object]) -> None:
        """
        Turn until it is so.

        @raise AssertionError: nothing happens any more, and it is not.
        """
        while not done():
            assert self.turn(PATIENCE) or done(), "nothing happens any more"

    def left(self) -> list[Any]:
        """@return: descriptors and timers that nobody has removed."""
        selectables: list[Any] = self.removeAll()
        timers = [call for call in self.getDelayedCalls() if call.active()]
        return selectables + timers

    def close(self) -> None:
        """The last call."""
        self._poller.close()
