"""
What is counted of sessions and backends: plain numbers that only grow.

Adding to them is all that a session pays; everything else is worked out when
somebody reads. They belong to names, not to objects, and so outlive reloads.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from portmux.core.record import Record

if TYPE_CHECKING:
    from portmux.core.mux.tally import Tally as MuxTally

K = TypeVar("K")
T = TypeVar("T")

MOST: Final = 1024
"""Routes with a cause, backends, and ends that each listener has numbers for;
any more are counted together (taste: reloads may bring ever new names)."""

OTHER: Final = "(other)"
"""Stands for names beyond L{MOST}; no name of a configuration has parentheses."""

_REST: Final = (OTHER, OTHER)

SNIFFING: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 3.0, 10.0)
"""Seconds; from a first segment that decides to the usual timeouts (taste)."""

CONNECTING: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
"""Seconds; from this machine to the timeout's default (taste)."""


@attrs.define(eq=False, slots=True)
class Histogram:
    """
    @ivar bounds: upper ends of all buckets but the last, which has none.
    @ivar counts: how much fell into each bucket.
    @ivar total: the sum of what was observed.
    """

    bounds: tuple[float, ...]
    counts: list[int] = attrs.field(init=False)
    total: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        """A clock that was set back makes it less than nothing: then it is nothing."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        if seconds > 0.0:
            self.total += seconds


@attrs.define(eq=False, slots=True)
class Tally:
    """How connecting to a backend went. @ivar connected: seconds that it took."""

    attempts: int = 0
    errors: int = 0
    connected: Histogram = attrs.field(factory=lambda: Histogram(CONNECTING))


@attrs.define(eq=False, slots=True)
class Passed:
    """Sessions that went the same way for the same cause, and their octets."""

    sessions: int = 0
    sent: int = 0
    received: int = 0


@attrs.define(eq=False, slots=True)
class Counts:
    """
    What became of a listener's sessions.

    @ivar accepted: all that there were, live ones included.
    @ivar passed: those that have ended, by route and cause.
    @ivar ends: the same sessions, by how they ended.
    @ivar sniffed: seconds until the decision, of those that came to one.
    @ivar muxes: what was counted of requests, by route.
    """

    accepted: int = 0
    bans: int = 0
    passed: dict[tuple[str, str], Passed] = attrs.field(factory=dict)
    ends: dict[str, int] = attrs.field(factory=dict)
    sniffed: Histogram = attrs.field(factory=lambda: Histogram(SNIFFING))
    backends: dict[str, Tally] = attrs.field(factory=dict)
    muxes: dict[str, MuxTally] = attrs.field(factory=dict)

    def add(self, record: Record) -> None:
        """A session has ended."""
        passed = self.passed.get((record.route, record.cause))
        if passed is None:
            passed = kept(self.passed, (record.route, record.cause), _REST, Passed)
        passed.sessions += 1
        passed.sent += record.sent
        passed.received += record.received
        end = record.end
        if end not in self.ends:
            end = OTHER if len(self.ends) >= MOST else end
            self.ends.setdefault(end, 0)
        self.ends[end] += 1
        if record.route != "-":
            self.sniffed.observe(record.sniffed)

    def backend(self, address: str) -> Tally:
        """@return: the backend's; the same one whenever it is asked for."""
        return kept(self.backends, address, OTHER, Tally)

    def mux(self, route: str, make: Callable[[], MuxTally]) -> MuxTally:
        """@return: the route's; the same one whenever it is asked for."""
        return kept(self.muxes, route, OTHER, make)

    @property
    def live(self) -> int:
        return self.accepted - sum(one.sessions for one in self.passed.values())


def kept(table: dict[K, T], key: K, rest: K, make: Callable[[], T]) -> T:
    """@return: what a table has for the key; a full one has no place for a new key."""
    if key not in table:
        key = rest if len(table) >= MOST else key
        table.setdefault(key, make())
    return table[key]
