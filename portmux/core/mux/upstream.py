"""The connections to one target: when to make them, and when to give them up."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import attrs

from portmux.core.backend import Backend
from portmux.core.frame.framer import Framer
from portmux.core.mux.asker import Request
from portmux.core.mux.link import Link, Phase
from portmux.core.mux.settings import JITTER, Settings
from portmux.core.mux.tally import Tally
from portmux.core.mux.waiting import Waiting
from portmux.core.pool import Pool


@attrs.define(eq=False)
class Upstream:
    """
    @ivar place: which one of a multiplexer's targets it is.
    @ivar waiting: requests for this target.
    @ivar links: in whatever state, but not gone; at most C{settings.connections}.
    @ivar away: since when no connection is there; None while one is.
    @ivar failures: connections in a row that came to nothing.
    @ivar why: the last one did, in one clause.
    """

    place: int
    pool: Pool
    settings: Settings
    tally: Tally
    _framer: Framer
    _random: Callable[[], float]
    waiting: Waiting = attrs.field(factory=Waiting, init=False)
    links: list[Link] = attrs.field(factory=list, init=False)
    away: float | None = attrs.field(default=-math.inf, init=False)
    failures: int = attrs.field(default=0, init=False)
    why: str = attrs.field(default="", init=False)
    _ready: deque[Link] = attrs.field(factory=deque, init=False)
    _tried: tuple[Backend, ...] = attrs.field(default=(), init=False)
    _rounds: int = attrs.field(default=0, init=False)
    """Attempts in vain since there was a new reason to try."""
    _failed: float = attrs.field(default=-math.inf, init=False)
    _soon: float = attrs.field(default=-math.inf, init=False)
    _again: float = attrs.field(default=-math.inf, init=False)

    # -- connections that come and go

    def dial(self, keep: bool, now: float) -> Link | None:
        """
        See whether another connection is wanted; to be asked until there is none.

        @param keep: connections are wanted whether or not somebody waits.
        @return: a link that is to be dialled.
        """
        if not self._wanted(keep) or (self.failures and now < self._retry()):
            return None
        if not self._tried and self._has_new_request():
            self._rounds = 0
        backend = self.pool.acquire(self._tried, None, now)
        if backend is None:
            self._failure("no backend is there", now, now)
            return None
        framer, settings = self._framer, self.settings
        link = Link(
            self.place,
            backend,
            self.pool.settings.reach,
            now,
            framer.dialogue,
            framer.answers(),
            settings,
        )
        self.links.append(link)
        self.tally.dialled += 1
        return link

    def _wanted(self, keep: bool) -> bool:
        """@return: whether there should be one more connection."""
        links = self.links
        if len(links) >= self.settings.connections:
            return False
        if self.failures and any(link.phase is Phase.DIALLING for link in links):
            return False  # one that tries is enough
        if keep:
            return True
        coming = sum(1 for link in links if not link.busy and not link.closing)
        return self.waiting.called > coming

    def connected(self, link: Link, now: float) -> None:
        """The target has accepted a link."""
        link.phase, link.opened = Phase.SETTLING, now
        self.pool.connected(link.backend, now)
        self.away = None
        self.tally.open += 1
        self.settle(link, now)

    def settle(self, link: Link, now: float) -> None:
        """See whether a link has been connected for long enough."""
        if now >= link.opened + self.settings.settle:
            link.phase = Phase.READY
            self._ready.append(link)

    def lose(self, link: Link, now: float, why: str = "") -> None:
        """
        A link is no more, or never was.

        @param why: in one clause, if that was not as it should be.
        """
        self.links.remove(link)
        self.pool.release(link.backend)
        if link.up:
            self.tally.open -= 1
        elif why:
            self.pool.failed(link.backend, why, now)
        if link in self._ready:
            self._ready.remove(link)
        if why and not link.answered:
            self._tried += (link.backend,)
            self._failure(why, link.opened, now)
        link.phase = Phase.GONE
        if self.away is None and not any(one.up for one in self.links):
            self.away = now

    def _failure(self, why: str, begun: float, now: float) -> None:
        """@param begun: when the attempt was made; the next one counts from there."""
        settings = self.settings
        if begun > self._failed or not self.failures:
            self.failures += 1  # else it is of the same round as the last one
            self._rounds += 1
        self.tally.failures += 1
        self.why = why
        self._failed = now
        if self.pool.is_crowded(self._tried):
            self._soon = self._again = now  # there are others to try
            return
        self._tried = ()
        wait = settings.backoff * 2.0 ** min(self._rounds - 1, 30)
        some = 1 - JITTER * self._random()
        self._soon = begun + min(settings.backoff, settings.longest) * some
        self._again = begun + min(wait, settings.longest) * some

    def _retry(self) -> float:
        """@return: when to try again: sooner for a request that came since."""
        return self._soon if self._has_new_request() else self._again

    def _has_new_request(self) -> bool:
        """@return: whether one waits that came after the last attempt in vain."""
        return self.waiting.called > 0 and self.waiting.latest >= self._failed

    # -- requests

    def free(self, now: float) -> Link | None:
        """@return: the link that may send a request, each in turn."""
        for place, link in enumerate(self._ready):
            if link.free(now):
                self._ready.rotate(-1 - place)
                return link
        return None

    def answered(self) -> None:
        """The target works."""
        self.failures = self._rounds = 0
        self._tried = ()

    # -- time

    def gives_up(self, arrived: float) -> float:
        """@return: until when a request may wait that came at that time."""
        wait = self.settings.wait
        due = math.inf if wait is None else arrived + wait
        if self.away is not None:
            due = min(due, max(arrived, self.away) + self.settings.unreachable)
        return due

    def oldest_late(self, now: float) -> Request | None:
        """@return: the request that has waited longest, if it may wait no longer."""
        oldest = self.waiting.oldest()
        late = oldest is not None and now >= self.gives_up(oldest.arrived)
        return oldest if late else None

    def due(self, keep: bool, now: float) -> float:
        """@return: when there will be something to do if nothing happens before."""
        oldest = self.waiting.oldest()
        waited = self.waiting.called > 0
        due = min((link.due(waited, now) for link in self.links), default=math.inf)
        if oldest is not None:
            due = min(due, self.gives_up(oldest.arrived))
        if self.failures and self._wanted(keep):
            due = min(due, self._retry())
        return due
