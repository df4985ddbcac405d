"""
Run regular expressions over octets: one step an octet, none of them twice.

The states of a deterministic automaton are made when bytes first lead there,
and kept up to a limit; a step to a new state costs at most what the expression
is long, whatever the bytes are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Self

import attrs

from portmux.core.regex.glushkov import START, Positions, bits
from portmux.core.regex.syntax import parse

MOST_STATES = 512
"""States kept of an automaton, about 1 KiB each: from taste."""

_NEAR = 64
"""Positions ahead within which those that follow are found by shifting."""


@attrs.define(eq=False, slots=True)
class State:
    """
    What is known after some octets.

    @ivar positions: where in the expressions they can have ended and still
        match; 0: nowhere.
    @ivar following: the next state for each class of octets; None: not made yet.
    @ivar matched: an expression matches these octets.
    @ivar settled: no octet will change that.
    """

    positions: int
    following: list[State | None]
    matched: bool
    settled: bool


@attrs.define(eq=False, slots=True)
class Automaton:
    """
    Some expressions, any of which may match.

    @ivar _accepting: for each expression, the positions it can end with.
    @ivar _whole: octets that follow may undo a match.
    @ivar start: before the first octet.
    """

    _accepting: tuple[int, ...]
    _classes: bytes
    _steps: _Steps
    _whole: bool
    _states: dict[int, State] = attrs.field(factory=dict, init=False)
    start: State = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.start = self._state(START)

    @classmethod
    def of_stream(cls, patterns: Iterable[str]) -> Automaton:
        """
        Match as soon as a pattern fits a beginning of the bytes.

        More bytes can always come, so nothing ever matches behind C{$}.

        @raise ValueError: a pattern is wrong, or all together are too long.
        """
        positions = Positions()
        nodes = [parse(pattern) for pattern in patterns]
        ends = tuple(positions.add(node).anywhere for node in nodes)
        return cls._made(positions, ends, whole=False)

    @classmethod
    def of_text(cls, pattern: str, ignore_case: bool = False) -> Automaton:
        """
        Match bytes that the pattern fits from the first to the last.

        @raise ValueError: the pattern is wrong, or too long.
        """
        positions = Positions()
        end = positions.add(parse(pattern, ignore_case)).at_end
        return cls._made(positions, (end,), whole=True)

    @classmethod
    def _made(cls, positions: Positions, ends: tuple[int, ...], whole: bool) -> Self:
        classes = _classes(positions.among)
        useful = positions.leading_to(reduce(or_, ends, 0))
        return cls(ends, classes, _Steps.of(positions, useful, classes), whole)

    def go_on(self, state: State, data: bytes | bytearray) -> State:
        """
        @param state: what is known of the octets before C{data}.
        @return: the state after C{data}, or the first settled one on the way.
        """
        if state.settled:
            return state
        for octet in data.translate(self._classes):
            state = state.following[octet] or self._advance(state, octet)
            if state.settled:
                break
        return state

    def matches(self, data: bytes) -> bool:
        """@return: an expression matches these octets."""
        return self.go_on(self.start, data).matched

    def which(self, state: State) -> int:
        """@return: index of the first expression that matches in this state."""
        for index, ends in enumerate(self._accepting):
            if state.positions & ends:
                return index
        raise LookupError("no expression matches")

    def first(self) -> frozenset[int]:
        """@return: the octets after which something can still match."""
        return frozenset(
            octet
            for octet in range(256)
            if self._advance(self.start, self._classes[octet]).positions
        )

    def _advance(self, state: State, octet: int) -> State:
        """Find the next state for a class of octets, and remember it."""
        found = self._state(self._steps.after(state.positions, octet))
        state.following[octet] = found
        return found

    def _state(self, positions: int) -> State:
        state = self._states.get(positions)
        if state is None:
            if len(self._states) >= MOST_STATES:
                self._flush()
            matched = any(positions & ends for ends in self._accepting)
            state = self._states[positions] = State(
                positions,
                [None] * self._steps.classes,
                matched,
                not positions or (matched and not self._whole),
            )
        return state

    def _flush(self) -> None:
        """Forget all states; those that connections hold still find what follows."""
        for state in self._states.values():
            state.following = [None] * self._steps.classes
        self._states.clear()


@attrs.frozen(eq=False, slots=True)
class _Steps:
    """
    The positions after others, without a look at each of them.

    @ivar near: distances ahead, and the positions that have followers there.
    @ivar far: positions with the same other followers, and these.
    @ivar entered: for each class of octets the positions that take one of it,
        as far as they lead anywhere.
    """

    near: tuple[tuple[tuple[int, ...], int], ...]
    far: tuple[tuple[int, int], ...]
    entered: tuple[int, ...]

    @classmethod
    def of(cls, positions: Positions, useful: int, classes: bytes) -> _Steps:
        near: defaultdict[int, int] = defaultdict(int)
        far: defaultdict[int, int] = defaultdict(int)
        for position, follow in enumerate(positions.follow):
            ahead = follow >> position & (1 << _NEAR) - 1
            near[ahead] |= 1 << position
            far[follow ^ ahead << position] |= 1 << position
        near.pop(0, None)
        far.pop(0, None)
        return cls(
            tuple((tuple(bits(ahead)), before) for ahead, before in near.items()),
            tuple((before, follow) for follow, before in far.items()),
            tuple(taking & useful for taking in _entered(positions.among, classes)),
        )

    @property
    def classes(self) -> int:
        return len(self.entered)

    def after(self, positions: int, octet: int) -> int:
        """@return: the positions after one more octet of a class."""
        found = 0
        for distances, before in self.near:
            moving = positions & before
            if moving:
                for distance in distances:
                    found |= moving << distance
        for before, follow in self.far:
            if positions & before:
                found |= follow
        return found & self.entered[octet]


def _classes(among: Sequence[int]) -> bytes:
    """@return: for each octet the number of its class: none tells its octets apart."""
    distinct = set(among)
    numbers: dict[tuple[bool, ...], int] = {}
    return bytes(
        numbers.setdefault(
            tuple(one >> octet & 1 == 1 for one in distinct), len(numbers)
        )
        for octet in range(256)
    )


def _entered(among: Sequence[int], classes: bytes) -> tuple[int, ...]:
    taking: defaultdict[int, int] = defaultdict(int)
    for position, octets in enumerate(among):
        taking[octets] |= 1 << position
    entered = [0] * (max(classes) + 1)
    for octet, number in enumerate(classes):
        entered[number] = 0
        for octets, positions in taking.items():
            if octets >> octet & 1:
                entered[number] |= positions
    return tuple(entered)
