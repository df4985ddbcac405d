"""A multiplexer whose clients, target and clock are in the test's hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs

from portmux.core.address import Address, Host
from portmux.core.frame.framer import Framer
from portmux.core.frame.line import Line
from portmux.core.multiplex import Multiplexer
from portmux.core.mux.asker import Asker
from portmux.core.mux.effects import (
    Answer,
    Dial,
    Drop,
    Effect,
    HangUp,
    Hold,
    Over,
    Send,
)
from portmux.core.mux.expert import Expert
from portmux.core.mux.link import Link
from portmux.core.mux.settings import Settings
from portmux.core.mux.tally import Tally
from portmux.core.pool import Pool

SOURCE = Host("198.51.100.7", 50007)

TARGET = Host("192.0.2.9", 502)


@attrs.define(eq=False)
class Person:
    """
    A client.

    @ivar heard: all octets it was sent.
    @ivar told: how it was hung up on, in the record's word and clause.
    """

    asker: Asker
    heard: bytes = b""
    held: bool = False
    told: tuple[str, str] | None = None


@attrs.define(eq=False)
class Wire:
    """
    A connection to the target, or the wish for one.

    @ivar got: octets that the target has and did not look at yet.
    @ivar dropped: None while it is not; else whether with a reset.
    """

    link: Link
    got: bytes = b""
    dropped: bool | None = None

    def take(self) -> bytes:
        """@return: what the target got since it was last asked."""
        got, self.got = self.got, b""
        return got


class Stage:
    """
    @ivar now: seconds.
    @ivar wires: all that there were.
    @ivar dials: when each of them was asked for.
    @ivar over: requests that are, and their results, where that is told.
    """

    def __init__(
        self,
        framer: Framer | None = None,
        pools: Sequence[Pool] = (),
        expert: Expert | None = None,
        reachable: bool = True,
        **settings: Any,
    ) -> None:
        """@param reachable: what is dialled is connected at once."""
        self.now = 0.0
        self.tally = Tally()
        self.mux = Multiplexer(
            framer or Line(),
            Settings(**settings),
            pools or [Pool.of([TARGET])],
            self.tally,
            lambda: 0.0,
            expert,
        )
        self.reachable = reachable
        self.people: dict[Asker, Person] = {}
        self.wires: list[Wire] = []
        self.dials: list[float] = []
        self.over: list[tuple[bytes, str]] = []

    # -- what happens

    def client(self, source: Address = SOURCE) -> Person:
        """@return: one more."""
        asker = self.mux.join(source, self.now)
        person = self.people[asker] = Person(asker)
        return person

    def ask(self, person: Person, data: bytes) -> None:
        self.carry(self.mux.receive(person.asker, data, self.now))

    def finish(self, person: Person) -> None:
        self.carry(self.mux.finish(person.asker, self.now))

    def leave(self, person: Person) -> None:
        del self.people[person.asker]
        self.carry(self.mux.leave(person.asker, self.now))

    def full(self, person: Person, full: bool) -> None:
        self.carry(self.mux.fill(person.asker, full, self.now))

    def connected(self, wire: Wire) -> None:
        self.carry(self.mux.connected(wire.link, self.now))

    def say(self, wire: Wire, data: bytes) -> None:
        """The target sends."""
        self.carry(self.mux.arrived(wire.link, data, self.now))

    def end(self, wire: Wire) -> None:
        self.carry(self.mux.ended(wire.link, self.now))

    def fail(self, wire: Wire, why: str = "connection refused") -> None:
        self.carry(self.mux.failed(wire.link, why, self.now))

    def advance(self, seconds: float) -> None:
        """Time passes, and the multiplexer is called when it wants to be."""
        end = self.now + seconds
        for _ in range(10_000):
            due = self.mux.due(self.now)
            if due > end:
                break
            self.now = max(self.now, due)
            self.carry(self.mux.expire(self.now))
        else:
            raise AssertionError("it wants to be called again and again")
        self.now = end

    # -- what comes of it

    def carry(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._carry(effect)

    def _carry(self, effect: Effect) -> None:
        if isinstance(effect, Dial):
            wire = Wire(effect.link)
            self.wires.append(wire)
            self.dials.append(self.now)
            if self.reachable:
                self.connected(wire)
        elif isinstance(effect, Send):
            wire = self.wire(effect.link)
            assert wire.dropped is None
            wire.got += effect.data
        elif isinstance(effect, Drop):
            wire = self.wire(effect.link)
            assert wire.dropped is None
            wire.dropped = effect.reset
        elif isinstance(effect, Over):
            self.over.append((effect.request.frame.data, effect.result))
        elif effect.asker in self.people:
            self._tell(self.people[effect.asker], effect)

    def _tell(self, person: Person, effect: Answer | Hold | HangUp) -> None:
        assert person.told is None
        if isinstance(effect, Answer):
            person.heard += effect.data
        elif isinstance(effect, Hold):
            assert person.held is not effect.held
            person.held = effect.held
        else:
            person.told = (effect.how, effect.detail)

    def wire(self, link: Link) -> Wire:
        """@return: the one that a link is."""
        return next(wire for wire in self.wires if wire.link is link)

    @property
    def live(self) -> list[Wire]:
        """@return: those that were not dropped."""
        return [wire for wire in self.wires if wire.dropped is None]

    @property
    def quiet(self) -> bool:
        """@return: whether nothing will happen by itself."""
        return self.mux.due(self.now) == math.inf
