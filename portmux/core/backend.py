"""One target of a pool: what it may be given, what it has, how it fares."""

from __future__ import annotations

from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import attrs

from portmux.core.address import Address
from portmux.core.counts import Tally
from portmux.core.health import Health

if TYPE_CHECKING:
    from portmux.core.pool import Pool

COLD: Final = 0.1
"""Part of its weight that a backend starts with where it starts slowly (taste)."""


class State(Enum):
    """Whether a backend gets sessions."""

    UP = "up"

    EJECTED = "ejected"
    """It could not be connected to; it is checked until it can."""

    DRAINING = "draining"
    """Only clients that stick to it are given to it; others not."""

    DISABLED = "disabled"
    """No session is given to it, and nobody checks it."""


@attrs.define(eq=False, slots=True)
class Totals:
    """
    Numbers that only grow.

    @ivar sessions: that were connected to it.
    @ivar errors: attempts that failed, checks included.
    @ivar ejections: times that it was ejected.
    @ivar sent: payload octets to it, in sessions that have ended.
    @ivar received: payload octets from it, in sessions that have ended.
    """

    sessions: int = 0
    errors: int = 0
    ejections: int = 0
    sent: int = 0
    received: int = 0


@attrs.define(eq=False, slots=True)
class Backend:
    """
    A pool changes these; others read.

    @ivar weight: its part of the sessions, beside others' weights.
    @ivar most: sessions that it may have at a time; None: any number.
    @ivar wanted: what it should be; C{UP} unless an operator says otherwise.
    @ivar reason: why it is in its state; empty where it always was.
    @ivar since: when it got into its state.
    @ivar active: sessions that hold it now, connecting ones included.
    @ivar pending: sessions that are connecting to it.
    @ivar given: sessions since the pool's backends or their states last changed.
    @ivar turn: the one of the pool's choices that chose it last.
    @ivar credit: what smooth round-robin owes it.
    @ivar tallies: how connecting to it went, by listener.
    """

    address: Address
    weight: int = 1
    most: int | None = None
    wanted: State = attrs.field(default=State.UP, init=False)
    reason: str = attrs.field(default="", init=False)
    since: float = attrs.field(default=0.0, init=False)
    active: int = attrs.field(default=0, init=False)
    pending: int = attrs.field(default=0, init=False)
    given: int = attrs.field(default=0, init=False)
    turn: int = attrs.field(default=0, init=False)
    credit: float = attrs.field(default=0.0, init=False)
    health: Health = attrs.field(factory=Health, init=False, repr=False)
    totals: Totals = attrs.field(factory=Totals, init=False, repr=False)
    tallies: dict[str, Tally] = attrs.field(factory=dict, init=False, repr=False)
    _warm_from: float = attrs.field(default=0.0, init=False, repr=False)
    _warm_for: float | None = attrs.field(default=None, init=False, repr=False)
    _salt: bytes = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._salt = blake2b(str(self.address).encode(), digest_size=16).digest()

    @property
    def state(self) -> State:
        if self.wanted is State.UP and self.health.ejected:
            return State.EJECTED
        return self.wanted

    @property
    def has_room(self) -> bool:
        return self.most is None or self.active < self.most

    def warm_up(self, seconds: float | None, now: float) -> None:
        """Have its weight grow to what it is in so many seconds."""
        self._warm_from, self._warm_for = now, seconds

    def share(self, now: float) -> float:
        """@return: its weight, or the part of it that it has got to."""
        if self._warm_for is None:
            return self.weight
        part = (now - self._warm_from) / self._warm_for
        if part >= 1.0:
            self._warm_for = None
            return self.weight
        return self.weight * max(COLD, part)

    def draw(self, source: str) -> float:
        """@return: the same number above 0 and below 1 for a source, in any process."""
        drawn = blake2b(source.encode(), digest_size=8, salt=self._salt).digest()
        return (int.from_bytes(drawn, "big") + 0.5) / 2.0**64


@attrs.frozen
class Change:
    """
    Something about a backend is not as it was.

    @ivar before: its state; None: it has been added.
    @ivar after: its state; None: it has been removed.
    """

    pool: Pool
    backend: Backend
    before: State | None
    after: State | None
    reason: str
    time: float
