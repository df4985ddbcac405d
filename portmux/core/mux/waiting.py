"""Requests that may be sent to one target, and whose turn it is."""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import Final

import attrs

from portmux.core.mux.asker import Request, Stage

# On Python 3.11 a member read off its class costs as much as a call (measured).
_SENT: Final = Stage.SENT


@attrs.define(eq=False, slots=True)
class Waiting:
    """
    Of each client, only the first request is called; those behind it are not here.

    @ivar called: how many there are.
    @ivar latest: when the last one of all arrived that there ever were.
    """

    called: int = attrs.field(default=0, init=False)
    latest: float = attrs.field(default=-math.inf, init=False)
    _turns: list[tuple[int, int, Request]] = attrs.field(factory=list, init=False)
    _arrivals: list[tuple[float, int, Request]] = attrs.field(factory=list, init=False)

    def call(self, request: Request, turn: int) -> None:
        """@param turn: the smallest comes first."""
        request.called = True
        self.called += 1
        arrived, order = request.arrived, request.order
        if arrived > self.latest:
            self.latest = arrived
        heappush(self._turns, (turn, order, request))
        heappush(self._arrivals, (arrived, order, request))

    def take(self) -> Request | None:
        """@return: the next one; it waits no more."""
        turns = self._turns
        while turns:
            request = heappop(turns)[2]
            if request.called:
                self.leave(request, _SENT)
                return request
        return None

    def leave(self, request: Request, stage: Stage) -> None:
        """It waits no more, whether or not it was called."""
        request.stage = stage
        if not request.called:
            return
        request.called = False
        self.called -= 1
        if not self.called:
            self._turns.clear()
            self._arrivals.clear()
        elif self._arrivals[0][2] is request:
            heappop(self._arrivals)  # mostly; others go once they are the first

    def oldest(self) -> Request | None:
        """@return: the one that arrived first."""
        arrivals = self._arrivals
        while arrivals and not arrivals[0][2].called:
            heappop(arrivals)
        return arrivals[0][2] if arrivals else None
