"""Properties of every parser: cuts change nothing, work is bounded, faults are ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fuzz.material import Material, require
from portmux.core.head import Parser
from portmux.errors import Malformed
from portmux.testing import CountingBuffer, steps

P = TypeVar("P", bound=Parser[Any])

MALFORMED = "malformed"

_READS = 16
"""Times that an octet may be looked at, headers that came in parts included."""

_LINES = 200
"""Lines of Python that an octet may cost when all of them come one by one."""

_ONCE = 4000
"""Lines that an input may cost besides."""


def check(
    make: Callable[[], P], shown: Callable[[P, object], object], data: bytes
) -> object:
    """
    Have a parser read C{data} in pieces, and each beginning of it at once.

    @param shown: what is to be the same however the octets came, of a parser
        and what it has returned.
    @return: what is shown of all octets; L{MALFORMED}.
    """
    material = Material(data)
    count_lines = material.number(16) == 1
    pieces = material.pieces()
    buffer = CountingBuffer()
    if count_lines:
        size = sum(map(len, pieces))
        # The parser's lines: to show a request costs more the more fields it has.
        lines = steps(lambda: _in_pieces(make(), _not_shown, pieces, bytearray()))
        require(lines <= _ONCE + _LINES * size, "too many lines", lines, size)
    given = _in_pieces(make(), shown, pieces, buffer)
    require(
        buffer.octets <= _READS * (len(buffer) + 4),
        "octets are read again",
        buffer.octets,
        len(buffer),
    )
    at = 0
    for piece, one in zip(pieces, given, strict=False):
        at += len(piece)
        whole = _read(make(), shown, buffer[:at])
        require(one == whole, "a cut makes a difference", at, one, whole)
    return given[-1] if given else None


def _not_shown(parser: object, found: object) -> object:
    return None


def _in_pieces(
    parser: P,
    shown: Callable[[P, object], object],
    pieces: list[bytes],
    buffer: bytearray,
) -> list[object]:
    """@return: what is shown after each piece, up to a fault."""
    found: list[object] = []
    for piece in pieces:
        buffer += piece
        found.append(_read(parser, shown, buffer))
        if found[-1] == MALFORMED:
            break
    return found


def _read(parser: P, shown: Callable[[P, object], object], buffer: bytearray) -> object:
    try:
        return shown(parser, parser.read(buffer))
    except Malformed:
        return MALFORMED
