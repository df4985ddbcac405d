"""
Run regular expressions over octets: one step an octet, none of them twice.

The states of a deterministic automaton are made when bytes first lead there,
and kept up to a limit; a step to a new state costs at most what the expression
is long, whatever the bytes are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import attrs

from portmux.core.regex.glushkov import START, Accepting, Positions, bits
from portmux.core.regex.syntax import parse

MOST_STATES = 512
"""States kept of an automaton, about 1 KiB each: from taste."""

_NEAR = 64
"""Positions ahead within which those that follow are found by shifting."""


@attrs.define(eq=False, slots=True)
class State:
    """
    What is known after some octets.

    @ivar positions: where in the expressions they can have ended; 0: nowhere.
    @ivar following: the next state for each class of octets; None: not made yet.
    @ivar matched: an expression matches these octets, whatever follows them.
    @ivar matched_at_end: one matches if none follows.
    @ivar settled: no octet will change it: matched, or nothing can match.
    """

    positions: int
    following: list[State | None]
    matched: bool
    matched_at_end: bool
    settled: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.settled = self.matched or not self.positions


@attrs.define(eq=False, slots=True)
class Automaton:
    """
    Some expressions, any of which may match.

    @ivar start: before the first octet.
    """

    _accepting: tuple[Accepting, ...]
    _classes: bytes
    _steps: _Steps
    _states: dict[int, State] = attrs.field(factory=dict, init=False)
    start: State = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.start = self._state(START)

    @classmethod
    def of(cls, patterns: Iterable[str], ignore_case: bool = False) -> Automaton:
        """@raise ValueError: a pattern is wrong, or all together are too long."""
        positions = Positions()
        nodes = [parse(pattern, ignore_case) for pattern in patterns]
        accepting = tuple(positions.add(node) for node in nodes)
        classes = _classes(positions.among)
        return cls(accepting, classes, _Steps.of(positions, classes))

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
        """@return: an expression matches these octets from first to last."""
        state = self.start
        for octet in data.translate(self._classes):
            state = state.following[octet] or self._advance(state, octet)
            if not state.positions:
                return False
        return state.matched_at_end

    def which(self, state: State) -> int:
        """@return: index of the first expression that has matched in this state."""
        for index, accepting in enumerate(self._accepting):
            if state.positions & accepting.anywhere:
                return index
        raise LookupError("no expression has matched")

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
            state = self._states[positions] = State(
                positions,
                [None] * self._steps.classes,
                any(positions & one.anywhere for one in self._accepting),
                any(positions & one.at_end for one in self._accepting),
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
    @ivar entered: for each class of octets the positions that take one of it.
    """

    near: tuple[tuple[tuple[int, ...], int], ...]
    far: tuple[tuple[int, int], ...]
    entered: tuple[int, ...]

    @classmethod
    def of(cls, positions: Positions, classes: bytes) -> _Steps:
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
            _entered(positions.among, classes),
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
