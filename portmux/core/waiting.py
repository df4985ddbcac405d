"""The queue of a pool: bounded in length and time, first come, first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Final

import attrs

from portmux.core.backend import Backend
from portmux.core.counts import Histogram

WAITING: Final = (0.01, 0.1, 0.5, 1.0, 3.0, 10.0, 30.0)
"""Seconds; around the timeout's default (taste)."""


@attrs.frozen(slots=True)
class Queue:
    """
    Where sessions wait when every backend has as many as it may.

    @ivar length: sessions that may wait.
    @ivar timeout: seconds that one of them waits.
    """

    length: int = 0
    timeout: float = 10.0


NO_QUEUE: Final = Queue()


@attrs.define(eq=False, slots=True)
class Ticket:
    """
    A place in a pool's queue.

    @ivar tried: backends that it is not waiting for.
    @ivar call: what an engine puts here is called once there is a backend; it
        has the session's turn taken soon, but not from inside the call.
    @ivar backend: what has become free; it is taken for the ticket's session.
    """

    tried: Collection[Backend] = ()
    call: Callable[[], None] | None = None
    backend: Backend | None = attrs.field(default=None, init=False)


@attrs.define(eq=False, slots=True)
class Line:
    """
    Those who wait, and numbers that only grow.

    @ivar refused: that found the queue full.
    @ivar expired: that have waited in vain.
    @ivar waited: seconds, of all that had to wait and do so no more.
    """

    refused: int = 0
    expired: int = 0
    waited: Histogram = attrs.field(factory=lambda: Histogram(WAITING), repr=False)
    _tickets: deque[Ticket] = attrs.field(factory=deque, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._tickets)

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self._tickets)

    def enter(self, tried: Collection[Backend], length: int) -> Ticket | None:
        """@return: None: as many as C{length} wait already."""
        if len(self._tickets) >= length:
            self.refused += 1
            return None
        ticket = Ticket(tried)
        self._tickets.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """It need not be there any more."""
        if ticket in self._tickets:
            self._tickets.remove(ticket)

    def first_for(self, backend: Backend) -> Ticket | None:
        """@return: who waits for it, out of the queue; None: nobody does."""
        for ticket in self._tickets:
            if backend not in ticket.tried:
                self._tickets.remove(ticket)
                return ticket
        return None
