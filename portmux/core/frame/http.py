"""Frames of HTTP/1: whole messages, unchanged (RFC 9112)."""

from __future__ import annotations

import re
from typing import Final

import attrs

from portmux.core.frame.framer import Dialogue, Frame
from portmux.core.frame.httpbody import Chunks
from portmux.core.frame.httpdialogue import HTTP_DIALOGUE
from portmux.core.frame.httphead import (
    NO_ANSWER,
    NO_REQUEST,
    REQUEST_LINE,
    STATUS_LINE,
    Shape,
    answer_shape,
    request_shape,
)
from portmux.core.option import Octets, at_least, option
from portmux.core.regex.automaton import Automaton, State
from portmux.core.registry import Registry
from portmux.errors import Malformed

LONGEST_HEAD: Final = 1 << 16
"""Octets of a head; others stop at 8 to 64 KiB."""

_END = re.compile(rb"\r?\n\r?\n")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def _line(pattern: bytes) -> Automaton:
    return Automaton.of_stream([pattern.decode("latin-1")])


_REQUEST = _line(REQUEST_LINE)
_ANSWER = _line(STATUS_LINE)


@attrs.define(eq=False, slots=True)
class _Messages:
    """
    What reading requests and reading answers have in common.

    @ivar line: what the first line is.
    @ivar strict: lines end with CR LF, else with LF too.
    @ivar shape: of the message whose head is whole.
    @ivar end: index behind that message, where it is known.
    """

    limit: int
    line: Automaton
    strict: bool
    buffer: bytearray = attrs.field(factory=bytearray, init=False)
    shape: Shape | None = attrs.field(default=None, init=False)
    end: int | None = attrs.field(default=None, init=False)
    _head: int = attrs.field(default=0, init=False)
    _chunks: Chunks | None = attrs.field(default=None, init=False)
    _seen: int = attrs.field(default=0, init=False)
    _first: State | None = attrs.field(default=None, init=False)

    def head(self) -> bytes | None:
        """@return: the head of the next message, once it is whole."""
        buffer = self.buffer
        if not self._seen:
            self._skip_empty_lines()
        if not buffer or buffer == b"\r":
            return None
        found = _END.search(buffer, max(0, self._seen - 3), LONGEST_HEAD)
        if found is None:
            self._watch_line()
            if len(buffer) >= LONGEST_HEAD:
                raise Malformed(f"a head of more than {LONGEST_HEAD} octets")
            return None
        self._head = found.end()
        return bytes(buffer[: self._head])

    def begin(self, shape: Shape) -> None:
        self.shape = shape
        if shape.length is not None:
            self.end = self._head + shape.length
        elif shape.chunked:
            self._chunks = Chunks(self._head, self.strict)

    def go_on(self) -> Frame | None:
        """@return: the message, if it is whole."""
        least = self.end
        if least is None:
            least = self._least()
        if least > self.limit:
            raise Malformed(f"a message of more than {self.limit} octets")
        if self.end is None or len(self.buffer) < self.end:
            return None
        return self.take(self.end)

    def take(self, size: int) -> Frame:
        assert self.shape is not None
        frame = Frame(bytes(self.buffer[:size]), self.shape.interim, self.shape.closes)
        del self.buffer[:size]
        self.shape = self.end = self._chunks = self._first = None
        self._seen = self._head = 0
        return frame

    def begun(self) -> bool:
        """@return: octets of the body are there."""
        return len(self.buffer) > self._head

    def _least(self) -> int:
        """@return: octets of a message whose end is not known yet, if now it is."""
        chunks = self._chunks
        if chunks is None:
            return len(self.buffer)
        if chunks.pass_over(self.buffer):
            self.end = chunks.at
            return chunks.at
        return max(chunks.at, len(self.buffer))

    def _skip_empty_lines(self) -> None:
        """RFC 9112, section 2.2: before a request some clients send one."""
        buffer = self.buffer
        while buffer.startswith(b"\r\n"):
            del buffer[:2]

    def _watch_line(self) -> None:
        """What does not even begin like HTTP may never end its head."""
        state, data = self._first, self.buffer[self._seen :]
        state = self.line.go_on(self.line.start if state is None else state, data)
        if state.settled and not state.matched:
            raise Malformed(NO_REQUEST if self.strict else NO_ANSWER)
        self._first, self._seen = state, len(self.buffer)


@attrs.define(eq=False, slots=True)
class Requests:
    """Reads requests; a L{portmux.core.frame.framer.Reader}."""

    _messages: _Messages
    _prompted: bool = attrs.field(default=False, init=False)

    @property
    def held(self) -> int:
        return len(self._messages.buffer)

    def feed(self, data: bytes) -> None:
        self._messages.buffer += data

    def read(self, request: Frame | None = None) -> Frame | None:
        messages = self._messages
        if messages.shape is None:
            if (head := messages.head()) is None:
                return None
            messages.begin(request_shape(head))
            self._prompted = False
        return messages.go_on()

    def end(self, request: Frame | None = None) -> Frame | None:
        return None

    def prompt(self) -> bytes:
        """
        Let the client send a body that it asked leave for.

        The target can not be asked: it would be kept from others meanwhile, by
        whoever never sends it (RFC 9110, section 10.1.1).
        """
        shape = self._messages.shape
        if shape is None or not shape.expects or self._prompted:
            return b""
        self._prompted = True
        return b"" if self._messages.begun() else _CONTINUE


@attrs.define(eq=False, slots=True)
class Answers:
    """Reads answers; a L{portmux.core.frame.framer.Reader}."""

    _messages: _Messages

    @property
    def held(self) -> int:
        return len(self._messages.buffer)

    def feed(self, data: bytes) -> None:
        self._messages.buffer += data

    def read(self, request: Frame | None = None) -> Frame | None:
        messages = self._messages
        if request is None:
            if messages.buffer:
                raise Malformed("an answer that nobody has asked for")
            return None
        if messages.shape is None:
            if (head := messages.head()) is None:
                return None
            messages.begin(answer_shape(head, request.data.startswith(b"HEAD ")))
        return messages.go_on()

    def end(self, request: Frame | None = None) -> Frame | None:
        """Without length and chunks, a body ends with the connection."""
        shape = self._messages.shape
        if shape is None or shape.length is not None or shape.chunked:
            return None
        return self._messages.take(len(self._messages.buffer))

    def prompt(self) -> bytes:
        return b""


@attrs.frozen
class Http:
    """HTTP/1 requests and their answers; a request to upgrade is refused."""

    limit: Octets = option(
        "most octets of a request, head included",
        default=1 << 20,
        check=at_least(1),
        example="64KiB",
    )
    answer_limit: Octets = option(
        "most octets of an answer, head included",
        default=1 << 26,
        check=at_least(1),
        example="1GiB",
    )

    @property
    def dialogue(self) -> Dialogue:
        return HTTP_DIALOGUE

    def requests(self) -> Requests:
        return Requests(_Messages(self.limit, _REQUEST, strict=True))

    def answers(self) -> Answers:
        return Answers(_Messages(self.answer_limit, _ANSWER, strict=False))


def register(registry: Registry) -> None:
    registry.framer("http", Http)
