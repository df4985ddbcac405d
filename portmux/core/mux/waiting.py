"""Requests that wait for one target, and whose turn it is."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

import attrs

from portmux.core.mux.asker import Request, Stage


@attrs.define(eq=False, slots=True)
class Waiting:
    """
    All that wait stand in the order of their arrival; only those that are called
    may be sent: of each client the first, unless they may overtake each other.

    @ivar called: how many those are.
    """

    called: int = attrs.field(default=0, init=False)
    _turns: list[tuple[int, int, Request]] = attrs.field(factory=list, init=False)
    _arrivals: deque[Request] = attrs.field(factory=deque, init=False)

    def add(self, request: Request) -> None:
        """It has arrived just now."""
        self._arrivals.append(request)

    def again(self, request: Request) -> None:
        """It was sent in vain, and waits once more; earlier than all others."""
        request.stage = Stage.WAITING
        self._arrivals.appendleft(request)

    def call(self, request: Request, turn: int) -> None:
        """@param turn: the smallest comes first."""
        request.called = True
        self.called += 1
        heappush(self._turns, (turn, request.order, request))

    def take(self) -> Request | None:
        """@return: the next one of those that are called; it waits no more."""
        turns = self._turns
        while turns:
            request = heappop(turns)[2]
            if request.called:
                self.leave(request, Stage.SENT)
                return request
        return None

    def leave(self, request: Request, stage: Stage) -> None:
        """It waits no more."""
        request.stage = stage
        if request.called:
            request.called = False
            self.called -= 1
        if not self.called:
            self._turns.clear()

    def oldest(self) -> Request | None:
        """@return: the one that has waited longest."""
        arrivals = self._arrivals
        while arrivals and arrivals[0].stage is not Stage.WAITING:
            arrivals.popleft()
        return arrivals[0] if arrivals else None

    def newest(self) -> Request | None:
        """@return: the one that came last, if it still waits."""
        arrivals = self._arrivals
        waits = bool(arrivals) and arrivals[-1].stage is Stage.WAITING
        return arrivals[-1] if waits else None
