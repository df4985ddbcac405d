"""
What is known of a connection before it is routed, and the answers about it.

A matcher is asked again whenever bytes have arrived. It answers with a
L{Verdict}; YES and NO are final, however the bytes were cut into segments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Protocol, TypeVar, runtime_checkable

import attrs

from portmux.core.address import Address
from portmux.errors import Malformed

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Verdict(Enum):
    """A matcher's answer.  YES and NO are final; MORE may become either."""

    NO = auto()
    MORE = auto()
    YES = auto()

    @classmethod
    def of(cls, matched: bool) -> Verdict:
        return cls.YES if matched else cls.NO


class Parser(Protocol[T_co]):
    """Reads one protocol from a growing buffer, and keeps its place in it."""

    def read(self, data: bytearray) -> T_co | None:
        """
        Go on where the last call stopped; never look at an octet twice.

        @param data: all bytes of the connection so far; it only grows.
        @return: what was read; None while it is incomplete.
        @raise Malformed: the bytes can never be what is read here.
        """


@attrs.define(eq=False, slots=True)
class Head:
    """
    A connection's first bytes, its two addresses, and when it came.

    @ivar data: every byte received and not yet given to an action, up to the
        sniff limit. Matchers read it and never change or keep it.
    @ivar source: where the client is.
    @ivar local: the address that it connected to.
    @ivar at: when it was accepted, seconds since 1970.
    """

    data: bytearray
    source: Address
    local: Address
    at: float = 0.0
    _memory: dict[object, Any] | None = attrs.field(
        default=None, init=False, repr=False
    )

    def parse(self, parser: Callable[[], Parser[T]]) -> T | None:
        """
        Let a parser read on; matchers that name the same one share its work.

        @param parser: a class whose objects are parsers.
        @return: its result; None while the bytes are incomplete.
        @raise Malformed: the bytes can never be what the parser reads.
        """
        reading = self.recall(parser, lambda: _Reading(parser()))
        result: T | None = reading.read(self.data)
        return result

    def recall(self, key: object, make: Callable[[], T]) -> T:
        """@return: what C{make} gave when this connection first asked for C{key}."""
        memory = self._memory
        if memory is None:
            memory = self._memory = {}
        if key not in memory:
            memory[key] = make()
        kept: T = memory[key]
        return kept

    def forget(self) -> None:
        """Drop what parsers and matchers kept, before another connection's bytes."""
        self._memory = None


@attrs.define(eq=False, slots=True)
class _Reading:
    """One parser at work: asked once for each length, never after its end."""

    parser: Parser[Any]
    size: int = -1
    result: Any = None
    fault: str | None = None  # not the exception: that would hold its frames

    def read(self, data: bytearray) -> Any:
        if self.fault is not None:
            raise Malformed(self.fault)
        if self.result is None and self.size != len(data):
            self.size = len(data)
            try:
                self.result = self.parser.read(data)
            except Malformed as fault:
                self.fault = str(fault)
                raise
        return self.result


@attrs.frozen
class Reason:
    """
    Why a matcher gave its verdict, for explain and for the record.

    @ivar text: one clause for people; octets of the peer only via L{printable}.
    @ivar pattern: index of the pattern that decided, in written order.
    @ivar facts: what was read on the way, by name: C{sni}, C{alpn}, C{host},
        C{method}, C{path}, C{version}.
    """

    text: str
    pattern: int | None = None
    facts: tuple[tuple[str, str], ...] = ()


class Matcher(Protocol):
    """Recognise something about a connection.  Must be monotone: see L{Verdict}."""

    def match(self, head: Head) -> Verdict:
        """
        @raise Malformed: the bytes contradict the protocol; the same as NO.
        """

    def why(self, head: Head) -> Reason:
        """
        Explain the verdict on the same bytes; never raises.
        """


@runtime_checkable
class Opens(Protocol):
    """A matcher that may need bytes, and then knows which octets can come first."""

    def first(self) -> frozenset[int]:
        """@return: first octets that do not mean NO; without one it is always MORE."""


def judge(matcher: Matcher, head: Head) -> Verdict:
    """@return: the matcher's verdict, where malformed bytes mean NO."""
    try:
        return matcher.match(head)
    except Malformed:
        return Verdict.NO


def printable(octets: bytes | str, limit: int = 256) -> str:
    """
    Octets of a peer as text that cannot forge a log line or a field.

    @return: visible ASCII as it is, except blanks, quotes and backslashes; all
        else as C{\\xHH}; cut with C{...} behind C{limit} octets of input.
    """
    if isinstance(octets, str):
        if len(octets) <= limit and _PLAIN.fullmatch(octets):
            return octets
        octets = _octets(octets)
    raw = octets
    shown = "".join(map(_SHOWN.__getitem__, raw[:limit]))
    return shown + "..." if len(raw) > limit else shown


_PLAIN = re.compile(r"[!#-\[\]-~]*")
"""Text that is shown as it is; mostly all of it is."""


def _octets(text: str) -> bytes:
    """@return: those that the system knows a file name by, if it is one."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


_SHOWN = tuple(
    chr(octet) if 0x21 <= octet <= 0x7E and octet not in b'"\\' else f"\\x{octet:02x}"
    for octet in range(256)
)
