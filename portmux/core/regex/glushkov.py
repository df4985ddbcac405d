"""
The positions of a regular expression, and which may follow which.

Every octet that an expression names is a position. After some bytes the
positions they can have ended at say all there is to know (V. M. Glushkov 1961);
a set of positions is an integer: bit I{n} stands for position I{n}. Position 0
is the place before the first octet.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import attrs

from portmux.core.regex.nodes import Anchor, Choice, Node, Octet, Repeat, Sequence

MOST_POSITIONS = 4096
"""Octets named in a set of expressions, repeats written out: from taste."""

START = 1 << 0
"""The set that holds only the place before the first octet."""

_FREE = 1 << 0b00
_AT_START = 1 << 0b01
_AT_END = 1 << 0b10
"""Conditions under which a part is empty: the exponents are joined by C{|}."""


@attrs.frozen(slots=True)
class _Part:
    """
    What is known of a part of an expression.

    @ivar first: positions it can begin with; C{first_at_start}: only at the
        start of the bytes.
    @ivar last: positions it can end with; C{last_at_end}: only at the end.
    @ivar empty: where it matches the empty string: the flags above.
    """

    first: int = 0
    first_at_start: int = 0
    last: int = 0
    last_at_end: int = 0
    empty: int = 0


_EMPTY = _Part(empty=_FREE)
_PLACES = {Anchor.START: _Part(empty=_AT_START), Anchor.END: _Part(empty=_AT_END)}


@attrs.frozen(slots=True)
class Accepting:
    """
    @ivar anywhere: after these positions the expression has matched.
    @ivar at_end: after these it has if no octet follows.
    """

    anywhere: int
    at_end: int


@attrs.define(eq=False, slots=True)
class Positions:
    """
    @ivar among: the octets of each position, as sets of octets.
    @ivar follow: the positions that may come next, for each position.
    """

    among: list[int] = attrs.field(factory=lambda: [0])
    follow: list[int] = attrs.field(factory=lambda: [0])

    def add(self, node: Node) -> Accepting:
        """
        Add an expression that begins at the first octet.

        @raise ValueError: all expressions together have too many positions.
        """
        part = self._part(node)
        self.follow[0] |= part.first | part.first_at_start
        free = START if part.empty & (_FREE | _AT_START) else 0
        ending = START if part.empty else 0
        return Accepting(part.last | free, part.last | part.last_at_end | ending)

    def leading_to(self, ends: int) -> int:
        """@return: C{ends}, and the positions from which one of them can be reached."""
        possible = START
        for position, octets in enumerate(self.among):
            if octets:
                possible |= 1 << position
        found, before = ends & possible, 0
        while found != before:
            before = found
            # Most ways lead forward, so that going back once finds nearly all.
            for position in range(len(self.follow) - 1, -1, -1):
                if self.follow[position] & found:
                    found |= 1 << position & possible
        return found

    def _part(self, node: Node) -> _Part:
        match node:
            case Octet(among):
                position = self._position(among)
                return _Part(first=position, last=position)
            case Sequence(parts):
                return self._in_order([self._part(part) for part in parts])
            case Choice(branches):
                return reduce(_either, [self._part(branch) for branch in branches])
            case Repeat(inner, least, most):
                return self._repeat(inner, least, most)
            case Anchor():
                return _PLACES[node]

    def _position(self, among: int) -> int:
        if len(self.among) > MOST_POSITIONS:
            raise ValueError(
                f"with all repeats written out, more than {MOST_POSITIONS} characters"
                " are too many"
            )
        self.among.append(among)
        self.follow.append(0)
        return 1 << len(self.among) - 1

    def _in_order(self, parts: list[_Part]) -> _Part:
        """From the right, so that each part's last positions are walked once."""
        return reduce(lambda right, left: self._join(left, right), parts[::-1], _EMPTY)

    def _join(self, left: _Part, right: _Part) -> _Part:
        self._connect(left.last, right.first)
        first, first_at_start = left.first, left.first_at_start
        if left.empty & _FREE:
            first |= right.first
            first_at_start |= right.first_at_start
        if left.empty & _AT_START:
            first_at_start |= right.first | right.first_at_start
        last, last_at_end = right.last, right.last_at_end
        if right.empty & _FREE:
            last |= left.last
            last_at_end |= left.last_at_end
        if right.empty & _AT_END:
            last_at_end |= left.last | left.last_at_end
        empty = _both(left.empty, right.empty)
        return _Part(first, first_at_start, last, last_at_end, empty)

    def _connect(self, before: int, after: int) -> None:
        for position in bits(before):
            self.follow[position] |= after

    def _repeat(self, node: Node, least: int, most: int | None) -> _Part:
        before = len(self.among)
        once = self._part(node) if most != 0 else _EMPTY
        if len(self.among) == before:  # without octets, once is as good as often
            return once if least else _either(once, _EMPTY)
        copies = [once, *(self._part(node) for _ in range(1, most or least))]
        if most is None:
            loop = copies.pop()
            self._connect(loop.last, loop.first)
            tail = loop if least else _either(loop, _EMPTY)
        else:
            tail = _EMPTY
            while len(copies) > least:
                tail = _either(self._join(copies.pop(), tail), _EMPTY)
        return self._in_order([*copies, tail])


def bits(positions: int) -> Iterator[int]:
    """@return: the positions in a set, in order."""
    while positions:
        lowest = positions & -positions
        yield lowest.bit_length() - 1
        positions ^= lowest


def _either(one: _Part, other: _Part) -> _Part:
    return _Part(
        one.first | other.first,
        one.first_at_start | other.first_at_start,
        one.last | other.last,
        one.last_at_end | other.last_at_end,
        one.empty | other.empty,
    )


def _both(left: int, right: int) -> int:
    """@return: where two parts, one behind the other, match the empty string."""
    found = 0
    for one in bits(left):
        for other in bits(right):
            found |= 1 << (one | other)
    return found
