"""The data path beside a busy control plane."""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from bench.control import ALONE, BESIDE, parse, run, show, told
from bench.crowd import Crowd
from bench.report import Run
from tests.bench.needs import missing


def measured(name: str, p99: float) -> Run:
    values = {"short_p50": 10.0, "short_p99": p99}
    load = {"errors": 0.0, "done": 1.0, "count": 1.0, "exact": 0.0}
    return Run(name, "short", 0.0, values, load)


class ShowTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out = StringIO()

    def test_ratio(self) -> None:
        """It is that of the medians of the p99s."""
        runs = [measured(ALONE, each) for each in (100, 110, 900)]
        runs += [measured(BESIDE, each) for each in (90, 132, 990)]
        with redirect_stdout(self.out):
            self.assertAlmostEqual(show(runs), 1.2)
        self.assertIn("1.20", self.out.getvalue())

    def test_pace(self) -> None:
        """Control that is not answered is no control to be beside."""
        crowd = Crowd(os.getpid(), [], 0, 100, 0)
        crowd.due, crowd.lasted, crowd.waits = 100.0, 1.8, [0.001] * 9
        with redirect_stdout(self.out):
            self.assertTrue(told([crowd]))
            crowd.waits.pop()
            self.assertFalse(told([crowd]))
            crowd.waits.clear()
            self.assertFalse(told([crowd]))
        self.assertIn("8 of 100 commands", self.out.getvalue())


class RunTests(SynchronousTestCase):
    skip = missing("cc")

    def test_run(self) -> None:
        """Both ways are measured, once each; commands are answered meanwhile."""
        words = "--rounds 1 --seconds 0.2 --clients 16 --pace 50 --short 2 --pp 2"
        runs, crowds = run(parse(words.split()))
        self.assertEqual(
            sorted((one.peer, one.mode) for one in runs),
            [(name, mode) for name in (ALONE, BESIDE) for mode in ("pp", "short")],
        )
        self.assertEqual([one.load["errors"] for one in runs], [0] * 4)
        (crowd,) = crowds
        self.assertGreater(len(crowd.waits), 0)
