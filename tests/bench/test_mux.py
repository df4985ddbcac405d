"""Tests for L{bench.mux}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.mux import Case, parse, run, table


class MuxTests(SynchronousTestCase):
    def test_options(self) -> None:
        options = parse(["--clients", "2", "--idle", "0", "5"])
        self.assertEqual((options.clients, options.idle), ([2], [0, 5]))

    def test_table(self) -> None:
        figures = {Case(10, 1000): {"relay": 20e-6, "mux": 45e-6}}
        line = table(figures).splitlines()[1]
        self.assertEqual(line.split(), ["10", "1000", "20.0", "45.0", "2.25"])

    def test_run(self) -> None:
        """Both ways are measured, with clients that say nothing beside them."""
        case = Case(2, 3)
        (figures,) = run([case], 20, 1000, 1).values()
        self.assertEqual(sorted(figures), ["mux", "relay"])
        for spent in figures.values():
            self.assertTrue(1e-6 < spent < 0.1, spent)
