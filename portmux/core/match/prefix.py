"""Match connections that start with one of some byte strings."""

from __future__ import annotations

import attrs

from portmux.core.head import Head, Reason, Verdict, printable
from portmux.core.option import option
from portmux.core.registry import Registry

_EVERY_OCTET = frozenset(range(256))

_WINDOW = 64
"""
Octets within which all is compared again at every call: from taste, cheaper
than an object for each connection.
"""


@attrs.frozen
class Prefix:
    """Match the first bytes against fixed byte strings; any one is enough."""

    patterns: tuple[bytes, ...] = option(
        "bytes that the connection starts with; an empty one needs one byte",
        value=True,
        example="GET\\20",
    )
    _longest: int = attrs.field(init=False, eq=False, repr=False)
    _reasons: tuple[tuple[Reason, bytes], ...] = attrs.field(
        init=False, eq=False, repr=False
    )
    _key: object = attrs.field(factory=object, init=False, eq=False, repr=False)

    @_longest.default
    def _find_longest(self) -> int:
        if not self.patterns:
            raise ValueError("there is no pattern, at least one is needed")
        return max(len(pattern) for pattern in self.patterns)

    @_reasons.default
    def _make_reasons(self) -> tuple[tuple[Reason, bytes], ...]:
        """One for each pattern, the one that is complete first in front."""
        reasons = (
            (Reason(f"starts with {printable(pattern)}", index), pattern)
            for index, pattern in enumerate(self.patterns)
        )
        return tuple(sorted(reasons, key=lambda pair: len(pair[1])))

    def match(self, head: Head) -> Verdict:
        data = head.data
        if self._longest > _WINDOW:
            return head.recall(self._key, lambda: _Place(self.patterns)).go_on(data)
        if data.startswith(self.patterns):
            return Verdict.YES if data else Verdict.MORE
        if len(data) >= self._longest:
            return Verdict.NO
        for pattern in self.patterns:
            if pattern.startswith(data):
                return Verdict.MORE
        return Verdict.NO

    def why(self, head: Head) -> Reason:
        verdict, size = self.match(head), len(head.data)
        data = bytes(head.data[: self._longest])
        if verdict is Verdict.MORE:
            return Reason(f"{size} octets agree, more are needed")
        if verdict is Verdict.NO:
            return Reason(f"no pattern starts like {printable(data)}")
        for reason, pattern in self._reasons:
            if data.startswith(pattern):
                return reason
        raise AssertionError("a pattern has matched")

    def first(self) -> frozenset[int]:
        if b"" in self.patterns:
            return _EVERY_OCTET
        return frozenset(pattern[0] for pattern in self.patterns)


@attrs.define(eq=False, slots=True)
class _Place:
    """
    How far a connection agrees with long patterns.

    @ivar possible: the patterns that agree with all octets compared so far.
    @ivar compared: how many octets that are.
    """

    possible: tuple[bytes, ...]
    compared: int = 0
    verdict: Verdict = Verdict.MORE

    def go_on(self, data: bytearray) -> Verdict:
        """Compare what is new, once."""
        if self.verdict is Verdict.MORE and len(data) > self.compared:
            at, size = self.compared, len(data)
            most = max(len(pattern) for pattern in self.possible)
            fresh = bytes(data[at:most])
            self.possible = tuple(
                pattern
                for pattern in self.possible
                if fresh.startswith(pattern[at:size])
            )
            self.compared = size
            if not self.possible:
                self.verdict = Verdict.NO
            elif any(len(pattern) <= size for pattern in self.possible):
                self.verdict = Verdict.YES
        return self.verdict


def register(registry: Registry) -> None:
    registry.matcher("prefix", Prefix)
