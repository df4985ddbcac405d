"""Tests for L{portmux.core.mux.tally}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.counts import MOST, OTHER
from portmux.core.mux.tally import Tally


class TallyTests(SynchronousTestCase):
    def test_results(self) -> None:
        tally = Tally()
        tally.result("answered", "1")
        tally.result("answered", None)
        tally.result("silent", "1")
        self.assertEqual(tally.results, {"answered": 2, "silent": 1})
        self.assertEqual(tally.unit("1").results, {"answered": 1, "silent": 1})

    def test_units_are_bounded(self) -> None:
        tally = Tally()
        for number in range(MOST + 5):
            tally.result("answered", str(number))
        self.assertEqual(tally.unit(OTHER).results, {"answered": 5})
        self.assertEqual(len(tally.units), MOST + 1)
