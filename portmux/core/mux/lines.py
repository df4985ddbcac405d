"""Requests of each client stand in its order; who is first may have its turn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import attrs

from portmux.core.mux.asker import Asker, Request, Stage
from portmux.core.mux.settings import Settings
from portmux.core.mux.tally import Tally
from portmux.core.mux.waiting import Waiting


@attrs.define(eq=False, slots=True)
class Lines:
    """
    @ivar queued: requests that wait, of all clients.
    """

    _settings: Settings
    _waitings: Sequence[Waiting]
    """Of each target."""
    _tally: Tally
    queued: int = attrs.field(default=0, init=False)
    _numbers: count[int] = attrs.field(factory=count, init=False)
    _together: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        # On one connection, requests that are sent cannot overtake each other.
        settings = self._settings
        self._together = settings.pipeline > 1 and settings.connections == 1

    @property
    def full(self) -> bool:
        """Whether no more requests may wait."""
        return self.queued >= self._settings.queue

    def number(self) -> int:
        """@return: more than ever before."""
        return next(self._numbers)

    def put(self, request: Request) -> None:
        """A request waits from now on."""
        asker = request.asker
        asker.line.append(request)
        self.queued += 1
        self._tally.queued += 1
        self.call(asker)

    def again(self, request: Request) -> None:
        """A request that was under way waits once more, in its place of the line."""
        asker = request.asker
        asker.under_way.remove(request)
        earlier = sum(1 for one in asker.line if one.order < request.order)
        asker.line.insert(earlier, request)
        self.queued += 1
        self._tally.queued += 1
        request.stage = Stage.WAITING
        self.call(asker)

    def call(self, asker: Asker) -> None:
        """
        Let the first request of a client that waits have its turn, if it may.

        It waits for those before it, never for one that came later: that may have
        joined a request that waits, in the end, for this one.
        """
        if not asker.line or asker.line[0].called:
            return
        request = asker.line[0]
        if asker.under_way and any(
            one.order < request.order and not self._may_go(request, one)
            for one in asker.under_way
        ):
            return
        turn = self.number() if self._settings.rotate else request.order
        waiting = self._waitings[request.target]
        waiting.call(request, -1 if request.tries else turn)

    def _may_go(self, request: Request, before: Request) -> bool:
        """@return: whether it cannot overtake one before it, or that does no harm."""
        if not self._together:
            return False
        there = before.target == request.target and before.departed >= 0
        return there or (before.reads and request.reads)

    def take(self, target: int) -> Request:
        """@return: the next for a target, where some are called; it is under way."""
        request = self._waitings[target].take()
        assert request is not None
        asker = request.asker
        asker.line.remove(request)
        asker.under_way.add(request)
        self.queued -= 1
        self._tally.queued -= 1
        return request

    def leave(self, request: Request) -> None:
        """A request waits no more, and goes nowhere."""
        request.asker.line.remove(request)
        self.queued -= 1
        self._tally.queued -= 1
        self._waitings[request.target].leave(request, Stage.OVER)
