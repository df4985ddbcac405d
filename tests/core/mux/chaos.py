"""A target at its worst, and clients that know what they must hear."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from portmux.core.frame.framer import Frame, Framer, Reader, Trouble
from portmux.core.frame.line import Line
from portmux.core.frame.modbus import Modbus
from portmux.core.frame.modbus_rtu import ModbusRtu
from portmux.core.modbus.crc import crc
from portmux.core.mux.expert import Expert
from tests.core.mux.stage import Person, Stage, Wire

NUMBER = st.integers(0, 9)

UNIT = st.sampled_from((1, 2))


class Language(ABC):
    """
    How requests look, and what the true answer to each of them is.

    @ivar unique: no two requests are the same.
    """

    framer: Framer
    unique = True

    def expert(self) -> Expert | None:
        """@return: what the multiplexer asks about requests, if anybody."""
        return None

    @abstractmethod
    def request(self, token: int, unit: int, write: bool, mark: int) -> bytes:
        """
        @param token: there is no other request with it.
        @param mark: what a client may choose, and others may choose, too.
        """

    @abstractmethod
    def answer(self, request: bytes) -> bytes:
        """@return: what an honest target says to it."""

    @abstractmethod
    def token(self, request: bytes) -> int:
        """@return: what the request was made with."""

    @abstractmethod
    def is_write(self, request: bytes) -> bool:
        """@return: whether it changes something."""


class Lines(Language):
    framer = Line()

    def request(self, token: int, unit: int, write: bool, mark: int) -> bytes:
        return b"%d?\n" % token

    def answer(self, request: bytes) -> bytes:
        return request.replace(b"?", b"!")

    def token(self, request: bytes) -> int:
        return int(request[:-2])

    def is_write(self, request: bytes) -> bool:
        return True  # nobody knows


class Tcp(Language):
    framer = Modbus()

    def request(self, token: int, unit: int, write: bool, mark: int) -> bytes:
        body = _pdu(token, unit, write)
        return mark.to_bytes(2, "big") + bytes(2) + _length(body) + body

    def answer(self, request: bytes) -> bytes:
        body = _reply(request[6:])
        return request[:4] + _length(body) + body

    def token(self, request: bytes) -> int:
        return int.from_bytes(request[8:10], "big")

    def is_write(self, request: bytes) -> bool:
        return request[7] == 6


class Shared(Tcp):
    """Many reads are the same, and may have the same answer."""

    framer = Modbus(share=True)
    unique = False

    def expert(self) -> Expert:
        return Modbus(share=True).expert()

    def request(self, token: int, unit: int, write: bool, mark: int) -> bytes:
        return super().request(token if write else token % 3, unit, write, mark)


class Serial(Language):
    framer = ModbusRtu()

    def request(self, token: int, unit: int, write: bool, mark: int) -> bytes:
        return _checked(_pdu(token, unit, write))

    def answer(self, request: bytes) -> bytes:
        return _checked(_reply(request[:-2]))

    def token(self, request: bytes) -> int:
        return int.from_bytes(request[2:4], "big")

    def is_write(self, request: bytes) -> bool:
        return request[1] == 6


def _pdu(token: int, unit: int, write: bool) -> bytes:
    return bytes([unit, 6 if write else 3]) + token.to_bytes(2, "big") + b"\0\1"


def _reply(body: bytes) -> bytes:
    """The register's value is its address, and so tells who asked."""
    return body if body[1] == 6 else body[:2] + b"\2" + body[2:4]


def _length(body: bytes) -> bytes:
    return len(body).to_bytes(2, "big")


def _checked(body: bytes) -> bytes:
    return body + crc(body).to_bytes(2, "little")


@attrs.define(eq=False)
class Talker:
    """
    @ivar owed: requests that it made and that are not answered, as bytes.
    @ivar half: what it did not send of the last one.
    """

    person: Person
    owed: list[bytes] = attrs.field(factory=list)
    asked: int = 0
    half: bytes = b""


@attrs.define(eq=False)
class Side:
    """@ivar pending: requests that the target has of a connection, unanswered."""

    wire: Wire
    reader: Reader
    pending: list[bytes] = attrs.field(factory=list)


TROUBLE = (
    "reset",
    "end",
    "unasked",
    "mislabelled",
    "mislabelled",
    "late",
    "refuse",
    "accept",
    "come",
    "leave",
    "finish",
    "slow",
    "fast",
)
"""What may happen besides questions, answers, and the passing of time."""

SURPLUS = ("", "", "again", "garbage", "beginning")
"""What may follow an answer."""


class Chaos(RuleBasedStateMachine):
    """
    Whatever happens, in any order: no client hears another's answer, each request
    has one answer or its client is hung up on, and no write is sent twice.
    """

    language: Language

    @initialize(
        connections=st.integers(1, 3),
        pipeline=st.integers(1, 3),
        per_client=st.integers(1, 3),
        queue=st.integers(1, 4),
        tolerant=st.booleans(),
        rotate=st.booleans(),
        pause=st.sampled_from([0.0, 0.0, 0.5]),
        settle=st.sampled_from([0.0, 0.0, 0.5]),
        retries=st.integers(0, 2),
        wait=st.sampled_from([None, 4.0]),
        keep=st.booleans(),
        replies=st.booleans(),
    )
    def begin(self, **settings: Any) -> None:
        self.numbered = self.language.framer.dialogue.numbered
        if not self.numbered:
            settings |= {"pipeline": 1, "tolerant": False}
        self.settings = settings
        language = self.language
        self.stage = Stage(
            language.framer,
            expert=language.expert(),
            answer=3.0,
            idle=20.0,
            **settings,
        )
        self.sides: dict[Wire, Side] = {}
        self.talkers: list[Talker] = []
        self.tokens = 0
        self.times: dict[tuple[int, bool], int] = {}
        for _ in range(3):
            self.come()
        self.stage.carry(self.stage.mux.start(0.0))
        self.look()

    # -- what happens most

    @rule(
        number=NUMBER,
        writes=st.lists(st.booleans(), min_size=1, max_size=3),
        unit=UNIT,
        cut=st.sampled_from([0, 0, 0, 1, 5, 40]),
    )
    def ask(self, number: int, writes: list[bool], unit: int, cut: int) -> None:
        """Requests come; of the last one perhaps not all, then the rest comes first."""
        talker = self.talkers[number % len(self.talkers)]
        if talker.person.asker.finished:
            return
        data, talker.half = talker.half, b""
        for write in writes:
            self.tokens += 1
            # All number their requests alike; each its own one after another.
            talker.asked += 1
            request = self.language.request(self.tokens, unit, write, talker.asked)
            talker.owed.append(request)
            data += request
        cut = len(data) - min(cut, len(request) - 1)
        data, talker.half = data[:cut], data[cut:]
        self.stage.ask(talker.person, data)
        self.look()

    @rule(
        which=st.lists(NUMBER, min_size=1, max_size=4),
        cuts=st.sets(st.integers(1, 20), max_size=3),
        more=st.sampled_from(SURPLUS),
    )
    def answer(self, which: list[int], cuts: set[int], more: str) -> None:
        """The target says the truth, in pieces, and perhaps too much of it."""
        for number in which:
            side = some(number, [each for each in self.up if each.pending])
            if side is None:
                return
            # Only with numbers may answers overtake each other.
            place = number % len(side.pending) if self.numbered else 0
            data = self.language.answer(side.pending.pop(place))
            if more == "again":
                data += data
            elif more == "beginning":
                data += data[:3]
            elif more == "garbage":
                data += b"\xff" * 300 + b"\n"
            self.say(side, data, cuts if self.numbered or not more else set())

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.stage.advance(seconds)
        self.look()

    @rule(what=st.sampled_from(TROUBLE), number=NUMBER, unit=UNIT)
    def suffer(self, what: str, number: int, unit: int) -> None:
        """Something goes wrong; or well again."""
        talker = self.talkers[number % len(self.talkers)]
        side = some(number, self.up)
        if what in ("refuse", "accept"):
            self.stage.reachable = what == "accept"
            self.answer_dials(what == "accept")
        elif what == "come" and len(self.talkers) < 5:
            self.come()
        elif what == "leave" and len(self.talkers) > 1:
            self.talkers.remove(talker)
            self.stage.leave(talker.person)
        elif what == "finish" and not talker.half and number == 0:
            self.stage.finish(talker.person)
        elif what in ("slow", "fast"):
            self.stage.full(talker.person, what == "slow")
        elif what in ("unasked", "mislabelled", "late"):
            self.speak(what, number, unit)
        elif side is not None and what == "end":
            self.stage.end(side.wire)
        elif side is not None and what == "reset":
            self.lose(side, "reset by the target")
        self.look()

    # -- what it is made of

    def come(self) -> None:
        self.talkers.append(Talker(self.stage.client()))

    def answer_dials(self, accept: bool) -> None:
        """Those that still wait to be accepted are, or are refused."""
        for side in self.coming:
            if accept:
                self.stage.connected(side.wire)
            else:
                self.lose(side, "connection refused")

    def lose(self, side: Side, why: str) -> None:
        self.stage.wires.remove(side.wire)
        self.sides.pop(side.wire, None)
        self.stage.fail(side.wire, why)

    def speak(self, what: str, number: int, unit: int) -> None:
        """The target says what nobody has asked for, or does not any more."""
        if what == "late":
            gone = [
                each for each in self.sides.values() if each.wire.dropped is not None
            ]
            side = some(number, gone)
            if side is not None:
                answers = map(self.language.answer, side.pending)
                self.stage.say(side.wire, b"".join(answers) or b"late\n")
            return
        # Without numbers, nobody can tell it from an answer that is waited for.
        ups = [each for each in self.up if self.numbered or not each.pending]
        if what == "mislabelled" and self.numbered:
            ups = [each for each in ups if each.pending]
        side = some(number, ups)
        if side is None:
            return
        request = self.language.request(60_000, unit, write=False, mark=60_000)
        if what == "mislabelled" and side.pending:
            # The right number, but another device's answer.
            request = side.pending[0][:2] + request[2:6] + b"\t" + request[7:]
        self.say(side, self.language.answer(request), set())

    def say(self, side: Side, data: bytes, cuts: set[int]) -> None:
        edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        for start, end in pairwise(edges):
            self.stage.say(side.wire, data[start:end])
            self.look()

    @property
    def coming(self) -> list[Side]:
        live = [side for side in self.sides.values() if side.wire.dropped is None]
        return [side for side in live if not side.wire.link.up]

    @property
    def up(self) -> list[Side]:
        live = [side for side in self.sides.values() if side.wire.dropped is None]
        return [side for side in live if side.wire.link.up]

    # -- what must be true

    def look(self) -> None:
        """Everybody looks at what has come."""
        for wire in self.stage.wires:
            if wire not in self.sides:
                self.sides[wire] = Side(wire, self.language.framer.requests())
            self._receive(self.sides[wire])
        for talker in self.talkers:
            self._hear(talker)
        assert len(self.stage.live) <= self.settings["connections"]

    def _receive(self, side: Side) -> None:
        side.reader.feed(side.wire.take())
        while (frame := side.reader.read()) is not None:
            side.pending.append(frame.data)
            token, write = (
                self.language.token(frame.data),
                self.language.is_write(frame.data),
            )
            times = self.times[token, write] = self.times.get((token, write), 0) + 1
            if write:
                assert times == 1
            elif self.language.unique:
                assert times <= 1 + self.settings["retries"]
        if not self.settings["tolerant"]:
            assert len(side.pending) <= self.settings["pipeline"]

    def _hear(self, talker: Talker) -> None:
        """Each answer is one that is owed; without numbers, the oldest one."""
        reader = self.language.framer.answers()
        reader.feed(talker.person.heard)
        talker.person.heard = b""
        while talker.owed and (frame := reader.read(Frame(talker.owed[0]))):
            place = self._place(talker, frame.data)
            assert place is not None and (self.numbered or place == 0)
            del talker.owed[place]
        assert not reader.held

    def _place(self, talker: Talker, answer: bytes) -> int | None:
        """@return: which of the requests that are owed is answered by that."""
        dialogue = self.language.framer.dialogue
        for place, request in enumerate(talker.owed):
            replies = [dialogue.failure(Frame(request), why) for why in Trouble]
            known = [reply.data for reply in replies if reply is not None]
            if not self.settings["replies"]:
                known = []
            if answer in [self.language.answer(request), *known]:
                return place
        return None

    def teardown(self) -> None:
        """In the end nobody waits: each has its answer, or was hung up on."""
        if not hasattr(self, "stage"):
            return
        self.stage.reachable = True
        self.answer_dials(accept=True)
        for talker in self.talkers:
            self.stage.full(talker.person, False)
            if talker.half:
                self.stage.ask(talker.person, talker.half)
        for _ in range(300):
            self.look()
            for side in self.up:
                while side.pending and side.wire.dropped is None:
                    self.say(side, self.language.answer(side.pending.pop(0)), set())
            if not any(self.waits(talker) for talker in self.talkers):
                break
            self.stage.advance(0.5)
        assert not any(self.waits(talker) for talker in self.talkers)
        assert self.stage.tally.queued == 0

    def waits(self, talker: Talker) -> bool:
        return bool(talker.owed) and talker.person.told is None


def some(number: int, sides: Sequence[Side]) -> Side | None:
    return sides[number % len(sides)] if sides else None
