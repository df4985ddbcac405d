"""Match connections whose first bytes fit a regular expression."""

from __future__ import annotations

import attrs

from portmux.core.head import Head, Reason, Verdict, printable
from portmux.core.option import option
from portmux.core.regex.automaton import Automaton, State
from portmux.core.registry import Registry

_EVERY_OCTET = frozenset(range(256))

_WINDOW = 64
"""
Octets within which all is read again at every call: from taste, cheaper than
an object for each connection.
"""


@attrs.frozen
class Regex:
    """
    Match the first bytes against regular expressions; any one is enough.

    An expression matches as soon as it fits a beginning of the bytes. A stream
    does not show its end, so nothing ever matches behind C{$}.
    """

    patterns: tuple[str, ...] = option(
        "regular expressions for the beginning of the bytes; each needs one byte",
        value=True,
        example="(GET|POST) /git/",
    )
    _automaton: Automaton = attrs.field(init=False, eq=False, repr=False)

    _first: frozenset[int] = attrs.field(init=False, eq=False, repr=False)

    @_automaton.default
    def _compile(self) -> Automaton:
        if not self.patterns:
            raise ValueError("there is no pattern, at least one is needed")
        return Automaton.of_stream(self.patterns)

    @_first.default
    def _find_first(self) -> frozenset[int]:
        automaton = self._automaton
        return _EVERY_OCTET if automaton.start.matched else automaton.first()

    def match(self, head: Head) -> Verdict:
        data = head.data
        if not data:
            return Verdict.MORE
        automaton = self._automaton
        state = automaton.go_on(automaton.start, data[:_WINDOW])
        if len(data) > _WINDOW and not state.settled:
            place = head.recall(automaton, lambda: _Place(state, _WINDOW))
            state = place.go_on(automaton, data)
        if not state.settled:
            return Verdict.MORE
        return Verdict.of(state.matched)

    def why(self, head: Head) -> Reason:
        if self.match(head) is Verdict.MORE:
            return Reason(f"{len(head.data)} octets agree, more are needed")
        state = self._automaton.go_on(self._automaton.start, head.data)
        if not self._first:
            return Reason("nothing can match: no stream shows the end that $ wants")
        if not state.matched:
            start = printable(bytes(head.data[:_WINDOW]))
            return Reason(f"nothing that starts with {start} can match")
        index = self._automaton.which(state)
        return Reason(f"matches {printable(self.patterns[index])}", index)

    def first(self) -> frozenset[int]:
        return self._first


@attrs.define(eq=False, slots=True)
class _Place:
    """How far a connection has been read. @ivar at: octets before C{state}."""

    state: State
    at: int

    def go_on(self, automaton: Automaton, data: bytearray) -> State:
        self.state = automaton.go_on(self.state, data[self.at :])
        self.at = len(data)
        return self.state


def register(registry: Registry) -> None:
    registry.matcher("regex", Regex)
