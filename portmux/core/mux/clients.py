"""The clients of a multiplexer: their requests are read as fast as they may come."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import attrs

from portmux.core.address import Address
from portmux.core.frame.framer import Frame, Framer
from portmux.core.mux.asker import Asker
from portmux.core.mux.effects import Answer, Effect, HangUp, Hold
from portmux.core.mux.lines import Lines
from portmux.core.mux.settings import Settings
from portmux.errors import Malformed

AHEAD: Final = 1 << 16
"""Octets that are taken of a client whose request is not answered yet (taste)."""


@attrs.define(eq=False, slots=True)
class Clients:
    """
    @ivar take: given a client, its request, when it might have made that, and the
        time.
    @ivar forget: told of a client to whom nothing can be said any more.
    @ivar count: how many there are.
    @ivar standing: those with a request for which there is no room, in their order.
    """

    _framer: Framer
    _settings: Settings
    _lines: Lines
    _out: list[Effect]
    take: Callable[[Asker, Frame, float, float], None] = attrs.field(init=False)
    forget: Callable[[Asker, float], None] = attrs.field(init=False)
    count: int = attrs.field(default=0, init=False)
    standing: dict[Asker, None] = attrs.field(factory=dict, init=False)
    _quiet: dict[Asker, float] = attrs.field(factory=dict, init=False)

    def join(self, source: Address, now: float) -> Asker:
        """@return: one more."""
        asker = Asker(source, self._framer.requests())
        self.count += 1
        self._rest(asker, now)
        return asker

    def leave(self, asker: Asker, now: float) -> None:
        """A client is gone; to be told once of each."""
        self.count -= 1
        if not asker.gone:
            self._end(asker, now)

    def read(self, asker: Asker, now: float) -> None:
        """Take requests of a client, as many as it may have."""
        if asker.gone or asker.reading:
            return
        if not (asker.reader.held or asker.kept or asker.finished or asker.held):
            if self._settings.request is not None:
                self._rest(asker, now)
            return
        asker.reading = True
        blocked = self._read(asker, now)
        asker.reading = False
        if asker.gone:
            return
        held = blocked and asker.reader.held > AHEAD
        if held is not asker.held:
            asker.held = held
            self._out.append(Hold(asker, held))
        if self._quiet and (asker.asking or asker.standing is not None or asker.full):
            self._quiet.pop(asker, None)

    def admit(self, now: float) -> bool:
        """@return: whether there was room for one that stood."""
        admitted = False
        while self.standing and not self._lines.full:
            asker = next(iter(self.standing))
            del self.standing[asker]
            self.read(asker, now)
            admitted = True
        return admitted

    def due(self) -> float:
        """@return: when the first client that is quiet has been so for too long."""
        return next(iter(self._quiet.values()), math.inf)

    def expire(self, now: float) -> None:
        """Some time has passed."""
        while self.due() <= now:
            self.hang_up(next(iter(self._quiet)), "request-timeout", "", now)

    def hang_up(self, asker: Asker, how: str, detail: str, now: float) -> None:
        """Close a client's connection, after what it was answered."""
        if not asker.gone:
            self._out.append(HangUp(asker, how, detail))
            self._end(asker, now)

    def _end(self, asker: Asker, now: float) -> None:
        asker.gone = True
        self._quiet.pop(asker, None)
        self.standing.pop(asker, None)
        self.forget(asker, now)

    def _read(self, asker: Asker, now: float) -> bool:
        """@return: whether there may be requests that were not taken."""
        most, line, under_way = self._settings.per_client, asker.line, asker.under_way
        while len(line) + len(under_way) < most and not (asker.gone or asker.full):
            try:
                frame = asker.kept or asker.reader.read()
            except Malformed as error:
                if not asker.asking:  # else its answers come first
                    self.hang_up(asker, "malformed", str(error), now)
                return True
            if frame is None:
                self._await_more(asker, now)
                return False
            if self._quiet:
                self._quiet.pop(asker, None)
            since = asker.standing
            arrived = now if since is None else since
            if self._lines.full or (self.standing and since is None):
                asker.kept, asker.standing = frame, arrived
                self.standing[asker] = None
                return True
            asker.kept = asker.standing = None
            self.take(asker, frame, arrived, now)
        return True

    def _await_more(self, asker: Asker, now: float) -> None:
        """A client has no whole request."""
        if asker.finished:
            if not asker.asking:
                cut = "in the middle of a request" if asker.reader.held else ""
                self.hang_up(asker, "done", cut, now)
            return
        prompt = asker.reader.prompt()
        if prompt:
            self._out.append(Answer(asker, prompt))
        self._rest(asker, now)

    def _rest(self, asker: Asker, now: float) -> None:
        """From now on a client has so much time for its next request."""
        limit = self._settings.request
        if limit is not None and not asker.asking:
            self._quiet.setdefault(asker, now + limit)
