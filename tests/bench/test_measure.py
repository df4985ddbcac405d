"""From what the generator says to figures."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.cost import Spent
from bench.measure import GIB, IDLE, MODES, values
from bench.processes import LoadFailed
from bench.report import METRICS

SPENT = Spent(proxy=0.5, foreign=0.0)


def load(**changes: float) -> dict[str, float]:
    """@return: what the generator says after two seconds."""
    said = {
        "seconds": 2.0,
        "done": 10000,
        "bytes": GIB,
        "total": 2 * GIB,
        "errors": 0,
        "p50_us": 100.0,
        "p99_us": 900.0,
    }
    return {**said, **changes}


class ValueTests(SynchronousTestCase):
    """Each mode has its figures."""

    def setUp(self) -> None:
        self.mode = {mode.name: mode for mode in MODES}

    def test_exchanges(self) -> None:
        """A rate a second, and microseconds of CPU for each."""
        self.assertEqual(
            values(self.mode["short"], load(), SPENT),
            {
                "short_rate": 5000.0,
                "short_cpu": 50.0,
                "short_p50": 100.0,
                "short_p99": 900.0,
            },
        )

    def test_bulk(self) -> None:
        """The rate is of the timed part; CPU was spent on all that was moved."""
        found = values(self.mode["down"], load(), SPENT)
        self.assertAlmostEqual(found["down_gbit"], GIB * 8 / 1e9 / 2)
        self.assertEqual(found["down_cpu"], 0.25)

    def test_round_trip(self) -> None:
        """With everything on one core only the time means something."""
        self.assertEqual(values(self.mode["rtt"], load(), SPENT), {"rtt_p50": 100.0})

    def test_nothing_done(self) -> None:
        """No figure is made of nothing."""
        said = load(done=0, total=0, errors=32)
        for name in ("short", "up"):
            self.assertRaises(LoadFailed, values, self.mode[name], said, SPENT)

    def test_every_figure_has_its_row(self) -> None:
        """A figure without a metric would be measured and not shown."""
        rows = {metric.name for metric in METRICS}
        for mode in MODES:
            if mode is not IDLE:
                self.assertLessEqual(set(values(mode, load(), SPENT)), rows)
