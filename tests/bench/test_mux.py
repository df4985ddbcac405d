"""Tests for L{bench.mux}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.mux import Case, parse, run, table


class MuxTests(SynchronousTestCase):
    def test_options(self) -> None:
        options = parse(["--clients", "2", "--idle", "0", "5", "--rate", "0"])
        found = options.clients, options.idle, options.rate
        self.assertEqual(found, ([2], [0, 5], [0]))

    def test_table(self) -> None:
        spent = {"relay": 20e-6, "mux": 45e-6}
        figures = {Case(10, 1000, 500): spent, Case(1, 0, 0): spent}
        self.assertEqual(
            [line.split() for line in table(figures).splitlines()[1:]],
            [
                ["500", "10", "1000", "20.0", "45.0", "2.25"],
                ["max", "1", "0", "20.0", "45.0", "2.25"],
            ],
        )

    def test_run(self) -> None:
        """Both ways are measured, with clients that say nothing beside them."""
        paced, unpaced = Case(2, 3, 1000), Case(2, 3, 0)
        figures = run([paced, unpaced], 20, 1)
        self.assertEqual(list(figures), [paced, unpaced])
        for each in figures.values():
            self.assertEqual(sorted(each), ["mux", "relay"])
            for spent in each.values():
                self.assertTrue(1e-6 < spent < 0.1, spent)
