"""A device with two registers behind a multiplexer, and all that it ever held."""

from __future__ import annotations

from itertools import count

import attrs

from portmux.core.frame.framer import Frame
from portmux.core.frame.modbus import Modbus
from portmux.core.modbus.carrier import MBAP
from portmux.core.modbus.span import read_span
from portmux.core.pool import Pool
from tests.core.modbus.frames import tcp
from tests.core.mux.stage import TARGET, Person, Stage, Wire

SIZE = 2


@attrs.define(eq=False)
class Question:
    """
    @ivar pdu: what a client asks.
    @ivar step: when it did.
    @ivar now: the same in seconds.
    @ivar past: for each register, the step since which it may have been asked for:
        of the newest write that had been acknowledged.
    """

    pdu: bytes
    step: int
    now: float
    past: tuple[int, ...]


@attrs.define(eq=False)
class Held:
    """A value of a register, from one step to another. @ivar ended: in seconds."""

    value: int
    until: int | None = None
    ended: float | None = None


class Plant:
    """
    Each method is a step, and takes three numbers, of which it uses what it needs.
    Clients ask one thing at a time.

    @ivar seconds: for which values may be remembered; None: for any time.
    """

    def __init__(self, framer: Modbus, clients: int, connections: int) -> None:
        self.seconds = None if framer.share else framer.cache or 0.0
        pools = [Pool.of([TARGET])]
        self.stage = Stage(framer, pools, framer.expert(), connections=connections)
        self._people: list[Person] = [self.stage.client() for _ in range(clients)]
        self._asked: dict[Person, Question] = {}
        self._history = [[Held(0)] for _ in range(SIZE)]
        self._done: dict[int, int] = {}
        self._acknowledged = [0] * SIZE
        self._answers: dict[Wire, bytes] = {}
        self._values = count(1)
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
        if person in self._asked:
            return
        past = tuple(self._acknowledged)
        self._asked[person] = Question(pdu, self._step, self.stage.now, past)
        self.stage.ask(person, tcp(who, 1, pdu).data)
        self._hear()

    # -- the device

    def execute(self, which: int, *_: int) -> None:
        """The device does what it was asked on one connection."""
        wires = [wire for wire in self.stage.live if wire.got]
        if not wires:
            return
        wire = wires[which % len(wires)]
        request = wire.take()
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
        self._answers[wire] = MBAP.frame(request, 1, told)

    def _change(self, register: int, value: int) -> None:
        held = self._history[register][-1]
        held.until, held.ended = self._step, self.stage.now
        self._history[register].append(Held(value))
        self._done[value] = self._step

    def deliver(self, which: int, *_: int) -> None:
        """An answer of the device arrives."""
        wires = [wire for wire in self._answers if wire.dropped is None]
        if wires:
            wire = wires[which % len(wires)]
            self.stage.say(wire, self._answers.pop(wire))
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
            if person.heard:
                data, person.heard = person.heard, b""
                question = self._asked.pop(person)
                self._compare(question, Frame(data))
            if person.told is not None:
                self._asked.pop(person, None)
                self.stage.leave(person)
                self._people[at] = self.stage.client()

    def _compare(self, question: Question, answer: Frame) -> None:
        told = MBAP.pdu(answer.data)
        span = read_span(question.pdu)
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
