"""A device with two registers behind a multiplexer, and all that it ever held."""

from __future__ import annotations

from itertools import count
from typing import Any

import attrs

from portmux.core.frame.framer import Frame
from portmux.core.frame.modbus import Modbus
from portmux.core.modbus.carrier import MBAP
from portmux.core.modbus.pdu import EXCEPTION
from portmux.core.modbus.span import read_span
from portmux.core.pool import Pool
from tests.core.modbus.frames import tcp
from tests.core.mux.stage import TARGET, Person, Stage, Wire

SIZE = 2

WRITE = 6


@attrs.define(eq=False)
class Question:
    """
    @ivar pdu: what a client asks.
    @ivar step: when it did.
    @ivar now: the same in seconds.
    @ivar past: for each register, the step since which it may have been asked for:
        of the newest write that had been acknowledged.
    @ivar before: what its client had asked, and has not been answered.
    @ivar after: what it asked from then on, until this was answered.
    @ivar failed: portmux has answered that nobody knows whether it was done.
    """

    pdu: bytes
    step: int
    now: float
    past: tuple[int, ...]
    before: list[Question] = attrs.field(repr=False)
    after: list[Question] = attrs.field(factory=list, repr=False)
    failed: bool = False

    def writes(self, register: int) -> bool:
        """@return: whether that is what it is for."""
        return self.pdu[0] == WRITE and self.pdu[2] == register

    @property
    def value(self) -> int:
        """What it writes."""
        return int.from_bytes(self.pdu[3:5], "big")


@attrs.define(eq=False)
class Held:
    """A value of a register, from one step to another. @ivar ended: in seconds."""

    value: int
    until: int | None = None
    ended: float | None = None


class Plant:
    """
    Each method is a step, and takes three numbers, of which it uses what it needs.
    Clients may ask several things at a time; each sees what it has changed before,
    and nothing that it changes later.

    @ivar seconds: for which values may be remembered; None: for any time.
    """

    def __init__(
        self, framer: Modbus, clients: int, connections: int, **more: Any
    ) -> None:
        """@param more: of the multiplexer's settings."""
        self.seconds = None if framer.share else framer.cache or 0.0
        pools = [Pool.of([TARGET])]
        self.stage = Stage(
            framer, pools, framer.expert(), connections=connections, **more
        )
        self._people: list[Person] = [self.stage.client() for _ in range(clients)]
        self._most = int(more.get("per_client", 1))
        self._asked: dict[Person, dict[int, Question]] = {}
        self._history = [[Held(0)] for _ in range(SIZE)]
        self._done: dict[int, int] = {}
        self._acknowledged = [0] * SIZE
        self._answers: dict[Wire, list[bytes]] = {}
        self._values = count(1)
        self._numbers = count(1)
        self._step = 0
        self.compared = 0

    # -- clients

    def read(self, who: int, start: int, size: int) -> None:
        start %= SIZE
        size = 1 + size % (SIZE - start)
        self._ask(who, b"\x03\0%c\0%c" % (start, size))

    def write(self, who: int, register: int, _: int = 0) -> None:
        value = next(self._values)
        self._ask(who, b"\x06\0%c%b" % (register % SIZE, value.to_bytes(2, "big")))

    def _ask(self, who: int, pdu: bytes) -> None:
        person = self._people[who % len(self._people)]
        asked = self._asked.setdefault(person, {})
        if len(asked) >= self._most:
            return
        past, before = tuple(self._acknowledged), list(asked.values())
        question = Question(pdu, self._step, self.stage.now, past, before)
        for one in before:
            one.after.append(question)
        number = next(self._numbers)
        asked[number] = question
        self.stage.ask(person, tcp(number, 1, pdu).data)
        self._hear()

    # -- the device

    def execute(self, which: int, *_: int) -> None:
        """The device does what it was asked first on one connection."""
        wires = [wire for wire in self.stage.live if wire.got]
        if not wires:
            return
        wire = wires[which % len(wires)]
        (request, wire.got) = _first(wire.got)
        pdu = MBAP.pdu(request)
        span = read_span(pdu)
        if span is None:
            self._change(pdu[2], int.from_bytes(pdu[3:5], "big"))
            told = pdu
        else:
            numbers = range(span.start, span.end)
            values = [self._history[number][-1].value for number in numbers]
            data = b"".join(value.to_bytes(2, "big") for value in values)
            told = b"\x03%c%b" % (len(data), data)
        self._answers.setdefault(wire, []).append(MBAP.frame(request, 1, told))

    def _change(self, register: int, value: int) -> None:
        self._step += 1
        held = self._history[register][-1]
        held.until, held.ended = self._step, self.stage.now
        self._history[register].append(Held(value))
        self._done[value] = self._step

    def deliver(self, which: int, *_: int) -> None:
        """An answer of the device arrives."""
        wires = [
            wire
            for wire, answers in self._answers.items()
            if answers and wire.dropped is None
        ]
        if wires:
            wire = wires[which % len(wires)]
            self.stage.say(wire, self._answers[wire].pop(0))
            self._hear()

    def cut(self, which: int, *_: int) -> None:
        """A connection is reset, with what was on its way."""
        wires = self.stage.live
        if wires:
            wire = wires[which % len(wires)]
            self._answers.pop(wire, None)
            wire.dropped = True
            self.stage.fail(wire, "reset")
            self._hear()

    def wait(self, tenths: int, *_: int) -> None:
        self.stage.advance(tenths / 10)
        self._hear()

    # -- what must be so

    def _hear(self) -> None:
        """Compare what clients were told; who was hung up on comes again."""
        self._step += 1
        for at, person in enumerate(self._people):
            while person.heard:
                data, person.heard = _first(person.heard)
                number = int.from_bytes(data[:2], "big")
                self._compare(self._asked[person].pop(number), Frame(data))
            if person.told is not None:
                self._asked.pop(person, None)
                self.stage.leave(person)
                self._people[at] = self.stage.client()

    def _compare(self, question: Question, answer: Frame) -> None:
        told = MBAP.pdu(answer.data)
        span = read_span(question.pdu)
        if told[0] & EXCEPTION:
            question.failed = True
            return
        self.compared += 1
        if span is None:
            assert told == question.pdu, told
            register, value = told[2], int.from_bytes(told[3:5], "big")
            done = self._done[value]
            self._acknowledged[register] = max(self._acknowledged[register], done)
            return
        assert told[1] == 2 * span.count and len(told) == 2 + told[1], told
        for at, number in enumerate(range(span.start, span.end)):
            value = int.from_bytes(told[2 + 2 * at : 4 + 2 * at], "big")
            self._check(number, value, question)
            self._check_order(number, value, question)

    def _check(self, register: int, value: int, question: Question) -> None:
        held = next(one for one in self._history[register] if one.value == value)
        if held.until is None:
            return
        past = question.past[register]
        assert held.until > past, f"{value} was overwritten before {question}"
        if self.seconds is not None:
            assert held.ended is not None
            oldest = question.now - self.seconds
            assert held.ended >= oldest, f"{value} is too old for {question}"

    def _check_order(self, register: int, value: int, question: Question) -> None:
        """Its client's own writes take effect where they stand."""
        held = next(one for one in self._history[register] if one.value == value)
        for one in question.before:
            if one.writes(register) and not one.failed:
                done = self._done.get(one.value)
                seen = done is not None and (held.until is None or held.until > done)
                assert seen, f"{one} was not seen by {question}"
        for one in question.after:
            if one.writes(register):
                assert value != one.value, f"{one} was seen by {question}"


def _first(data: bytes) -> tuple[bytes, bytes]:
    """@return: the first frame, and what follows it."""
    size = 6 + int.from_bytes(data[4:6], "big")
    return data[:size], data[size:]
