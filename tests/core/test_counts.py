"""Tests for L{portmux.core.counts}."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.counts import MOST, OTHER, Counts, Histogram, kept
from portmux.core.record import Record
from portmux.testing import LOCAL, SOURCE

RECORD = Record(
    time=0.0,
    number=1,
    listener="front",
    route="web",
    pattern=None,
    cause="match",
    client=SOURCE,
    local=LOCAL,
    backend="-",
    attempts=0,
    sent=10,
    received=200,
    sniffed=0.05,
    seconds=1.0,
    end="done",
)


class HistogramTests(SynchronousTestCase):
    def test_bounds_belong_to_their_bucket(self) -> None:
        """Prometheus' C{le} is less or equal."""
        seen = Histogram((1.0, 2.0))
        for seconds in (0.5, 1.0, 1.5, 2.0, 2.5):
            seen.observe(seconds)
        self.assertEqual((seen.counts, seen.total), ([2, 2, 1], 7.5))

    @given(st.lists(st.floats(-1e6, 1e6)))
    def test_nothing_is_lost(self, all_seconds: list[float]) -> None:
        """Each observation counts once; the sum never becomes less."""
        seen = Histogram((0.1, 1.0))
        for seconds in all_seconds:
            before = seen.total
            seen.observe(seconds)
            self.assertGreaterEqual(seen.total, before)
        self.assertEqual(sum(seen.counts), len(all_seconds))


class CountsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.counts = Counts()

    def add(self, **changes: Any) -> None:
        """A session comes and ends."""
        self.counts.accepted += 1
        self.counts.add(attrs.evolve(RECORD, **changes))

    def test_add(self) -> None:
        """By route and cause, and by end."""
        self.add()
        self.add(sent=1)
        self.add(route="fallback", cause="timeout", end="closed")
        found = {
            way: (one.sessions, one.sent, one.received)
            for way, one in self.counts.passed.items()
        }
        self.assertEqual(
            found,
            {("web", "match"): (2, 11, 400), ("fallback", "timeout"): (1, 10, 200)},
        )
        self.assertEqual(self.counts.ends, {"done": 2, "closed": 1})
        self.assertEqual(sum(self.counts.sniffed.counts), 3)

    def test_no_decision(self) -> None:
        """It took no time."""
        self.add(route="-", cause="refused", end="limit-rate")
        self.assertEqual(sum(self.counts.sniffed.counts), 0)

    def test_live(self) -> None:
        """What was accepted and has not ended."""
        self.counts.accepted = 3
        self.assertEqual(self.counts.live, 3)
        self.counts.add(RECORD)
        self.assertEqual(self.counts.live, 2)

    def test_names_have_an_end(self) -> None:
        """Ever new ones, as reloads or extensions may bring, cost no more memory."""
        for number in range(MOST + 10):
            self.add(route=f"r{number}", end=f"e{number}")
            self.counts.backend(f"b{number}").attempts += 1
        counts = self.counts
        for table in (counts.passed, counts.ends, counts.backends):
            self.assertEqual(len(table), MOST + 1)
        self.assertEqual(counts.ends[OTHER], 10)
        self.assertEqual(counts.passed[OTHER, OTHER].sessions, 10)
        self.assertEqual(counts.backends[OTHER].attempts, 10)
        self.assertEqual(counts.live, 0)


class KeptTests(SynchronousTestCase):
    def test_same(self) -> None:
        """Asked twice, made once."""
        table: dict[str, list[int]] = {}
        kept(table, "a", OTHER, list).append(1)
        self.assertEqual(kept(table, "a", OTHER, list), [1])
