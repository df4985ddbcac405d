"""One connection to a target, and which answer belongs to which request."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import Final

import attrs

from portmux.core.backend import Backend
from portmux.core.frame.framer import Dialogue, Frame, Reader
from portmux.core.mux.asker import Request, Stage
from portmux.core.mux.settings import Settings
from portmux.core.reach import Reach
from portmux.errors import Malformed

NUMBERS: Final = 1 << 16
"""Numbers that a request may have."""

LATE: Final = 1024
"""Answers that may still be owed to nobody; then the connection is given up (taste:
numbers must not be used again before their answers have come)."""


class Phase(Enum):
    """Where a link stands."""

    DIALLING = auto()
    SETTLING = auto()
    READY = auto()
    GONE = auto()


# On Python 3.11 a member read off its class costs as much as a call (measured).
_READY: Final = Phase.READY


@attrs.define(eq=False, slots=True)
class Link:
    """
    A connection lives once: another one is another link.

    @ivar target: which one it is to, of those that a multiplexer has.
    @ivar reach: how the backend is reached.
    @ivar opened: when it was asked for; then when it came about.
    @ivar rested: since when nothing is under way.
    @ivar answered: how many requests.
    @ivar closing: it takes no more requests.
    @ivar broken: why the target can not be believed any more; empty while it can.
    @ivar unsolicited: frames that belonged to no request.
    """

    target: int
    backend: Backend
    reach: Reach
    opened: float
    _dialogue: Dialogue
    _reader: Reader
    _settings: Settings
    phase: Phase = attrs.field(default=Phase.DIALLING, init=False)
    rested: float = attrs.field(default=-math.inf, init=False)
    answered: int = attrs.field(default=0, init=False)
    closing: bool = attrs.field(default=False, init=False)
    broken: str = attrs.field(default="", init=False)
    unsolicited: int = attrs.field(default=0, init=False)
    _under_way: dict[int, Request] = attrs.field(factory=dict, init=False)
    _late: set[int] = attrs.field(factory=set, init=False)
    _number: int = attrs.field(default=0, init=False)
    _numbered: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._numbered = self._dialogue.numbered

    # -- what it is fit for

    @property
    def up(self) -> bool:
        """Whether the target has accepted it."""
        return self.phase is Phase.SETTLING or self.phase is Phase.READY

    @property
    def busy(self) -> bool:
        return bool(self._under_way)

    def free(self, now: float) -> bool:
        """@return: whether a request may be sent now, and there is time for it."""
        settings = self._settings
        return (
            len(self._under_way) < settings.pipeline
            and self.phase is _READY
            and not self.closing
            and not self.broken
            and now >= self.rested + settings.pause
            and now < self.ends()
        )

    def due(self, waited: bool, now: float) -> float:
        """
        @param waited: some request waits for a link.
        @return: when there will be something to do.
        """
        settings = self._settings
        if self.phase is Phase.DIALLING:
            return self.opened + settings.connect
        if self.phase is Phase.SETTLING:
            return self.opened + settings.settle
        rests = self.rested + settings.pause
        due = rests if waited and now < rests else math.inf
        if self._under_way:
            return min(due, self.oldest().departed + settings.answer)
        return min(due, self.ends())

    def ends(self) -> float:
        """@return: when it is to be closed, if it rests."""
        age, idle = self._settings.age, self._settings.idle
        if age is None and idle is None:
            return math.inf
        old = math.inf if age is None else self.opened + age
        tired = math.inf if idle is None else max(self.opened, self.rested) + idle
        return min(old, tired)

    # -- requests and answers

    def oldest(self) -> Request:
        """@return: the first of those under way, of which there must be one."""
        return next(iter(self._under_way.values()))

    def send(self, request: Request, now: float) -> bytes:
        """@return: what goes to the target; it is over if there is no answer to it."""
        dialogue, frame = self._dialogue, request.frame
        number = self._next() if self._numbered else 0
        request.sent = dialogue.outgoing(frame, number)
        request.departed = now
        if dialogue.answered(frame):
            self._under_way[number] = request
        else:
            request.stage = Stage.OVER
            self.rested = now
        return request.sent.data

    def receive(self, data: bytes, now: float) -> list[tuple[Request, Frame]]:
        """
        Bytes of the target came.

        @return: frames of answers, each with its request; one that is not interim
            is the last of its answer.
        """
        reader, numbered = self._reader, self._numbered
        reader.feed(data)
        found: list[tuple[Request, Frame]] = []
        try:
            while reader.held:
                frame = reader.read(None if numbered else self._asked())
                if frame is None:
                    break
                self._pair(frame, found, now)
        except Malformed as error:
            self.broken = str(error)
        if not numbered and not self._under_way and reader.held:
            self.broken = self.broken or "more octets than the answer has"
        return found

    def end(self, now: float) -> list[tuple[Request, Frame]]:
        """The target has ended the stream. @return: the answer that ends with it."""
        found: list[tuple[Request, Frame]] = []
        try:
            frame = self._reader.end(self._asked())
            if frame is not None:
                self._pair(frame, found, now)
        except Malformed as error:
            self.broken = str(error)
        self.closing = True
        return found

    def give_up(self, request: Request) -> bool:
        """
        Wait no longer for an answer.

        @return: whether the connection can go on: a late answer is known by its
            number.
        """
        number = next(key for key, one in self._under_way.items() if one is request)
        del self._under_way[number]
        if not self._settings.tolerant or len(self._late) >= LATE:
            return False
        self._late.add(number)
        return True

    def take_all(self) -> list[Request]:
        """@return: what was under way, and is no more."""
        found = list(self._under_way.values())
        self._under_way.clear()
        return found

    def _asked(self) -> Frame | None:
        """@return: the request whose answer is to come next."""
        for request in self._under_way.values():
            return request.sent
        return None

    def _pair(
        self, frame: Frame, found: list[tuple[Request, Frame]], now: float
    ) -> None:
        """@raise Malformed: nobody has asked for that, nor can it be dropped."""
        number = (self._dialogue.number(frame) or 0) if self._numbered else 0
        request = self._under_way.get(number)
        why = "nobody has asked for it"
        if request is not None:
            mismatch = self._dialogue.mismatch(request.sent, frame)
            if mismatch is None:
                if not frame.interim:
                    del self._under_way[number]
                    self.answered += 1
                    self.rested = now
                    if frame.closes or request.frame.closes:
                        self.closing = True
                found.append((request, frame))
                return
            why = mismatch
        self.unsolicited += 1
        self._late.discard(number)
        if not self._numbered:
            raise Malformed(f"an answer that is none: {why}")

    def _next(self) -> int:
        while True:
            number = self._number = (self._number + 1) % NUMBERS
            if number not in self._under_way and number not in self._late:
                return number
