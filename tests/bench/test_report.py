"""Medians, ratios and tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.report import (
    METRICS,
    MOST_FOREIGN,
    Metric,
    Run,
    Summary,
    chosen,
    faults,
    merits,
    ratios,
    summarise,
    table,
)

ORDER = ("direct", "base", "ours")
RATE = Metric("rate", "conn/s", 0)
COST = Metric("cost", "CPU", 1, inverse=True)
NAMES = {metric.name for metric in METRICS}
FIGURES = {
    "base": {"rate": 100.0, "cost": 50.0},
    "ours": {"rate": 80.0, "cost": 100.0},
}


def run(
    peer: str = "ours",
    mode: str = "short",
    foreign: float = 0.0,
    errors: float = 0,
    exact: float = 8,
    **values: float,
) -> Run:
    """@return: a run of eight connections that finished ten exchanges."""
    load = {"errors": errors, "done": 10, "count": 8, "exact": exact}
    return Run(peer, mode, foreign, values, load)


class ChosenTests(SynchronousTestCase):
    """Disturbed runs count only where there is nothing better."""

    def test_two_clean_runs_are_enough(self) -> None:
        """The disturbed ones are left out."""
        clean, noisy = run(rate=1.0), run(rate=9.0, foreign=0.5)
        self.assertEqual(chosen([clean, noisy, clean]), ([clean, clean], False))

    def test_one_clean_run_is_not(self) -> None:
        """All count, and the result says that they were disturbed."""
        runs = [run(rate=1.0), run(rate=9.0, foreign=0.5)]
        self.assertEqual(chosen(runs), (runs, True))

    def test_a_single_run_may_be_clean(self) -> None:
        """Few runs alone are no disturbance."""
        runs = [run(rate=1.0, foreign=MOST_FOREIGN)]
        self.assertEqual(chosen(runs), (runs, False))


class SummariseTests(SynchronousTestCase):
    """From runs to one figure a cell."""

    def test_median(self) -> None:
        """One outlier changes nothing."""
        runs = [run(rate=value) for value in (10.0, 1000.0, 11.0)]
        self.assertEqual(
            summarise(runs, ORDER, "direct").figures, {"ours": {"rate": 11.0}}
        )

    @given(st.permutations(["base", "ours", "direct"]))
    def test_order(self, peers: list[str]) -> None:
        """The table's order is not that of the runs, which is random."""
        summary = summarise([run(peer, rate=1.0) for peer in peers], ORDER, "direct")
        self.assertEqual(tuple(summary.figures), ORDER)

    def test_added_time_is_above_direct(self) -> None:
        """The round trip without a proxy is no proxy's fault."""
        runs = [
            run(peer, "rtt", rtt_p50=value)
            for peer, value in (("direct", 7.0), ("ours", 18.5))
        ]
        figures = summarise(runs, ORDER, "direct").figures
        self.assertEqual(figures["ours"]["rtt_added"], 11.5)
        self.assertNotIn("rtt_added", figures["direct"])

    def test_added_time_needs_direct(self) -> None:
        """Without the floor there is no such figure, rather than a wrong one."""
        figures = summarise([run(mode="rtt", rtt_p50=18.5)], ORDER, "direct").figures
        self.assertEqual(figures, {"ours": {"rtt_p50": 18.5}})

    def test_marks(self) -> None:
        """A reader sees which figures to distrust, and why."""
        runs = [
            run("base", rate=1.0),
            run("ours", rate=1.0, foreign=0.5, errors=3),
            run("ours", "up", up_cpu=1.0),
        ]
        marks = summarise(runs, ORDER, "direct").marks
        self.assertEqual(marks["base", "rate"], "")
        self.assertEqual(marks["ours", "rate"], "~!")
        self.assertEqual(marks["ours", "up_cpu"], "")

    def test_a_disturbed_floor_marks_what_is_above_it(self) -> None:
        """The difference of two figures is as doubtful as either."""
        runs = [
            run("direct", "rtt", rtt_p50=7.0, foreign=0.5),
            run("ours", "rtt", rtt_p50=9.0),
        ]
        marks = summarise(runs, ORDER, "direct").marks
        self.assertEqual(marks["ours", "rtt_added"], "~")
        self.assertEqual(marks["ours", "rtt_p50"], "")


class RatioTests(SynchronousTestCase):
    """Each peer against one of them."""

    def test_direct_and_inverse(self) -> None:
        """Eight tenths of the rate; twice the cost is half the efficiency."""
        found = ratios(FIGURES, "base", [RATE, COST])
        self.assertEqual(found["ours"], {"rate": 0.8, "cost": 0.5})
        self.assertEqual(found["base"], {"rate": 1.0, "cost": 1.0})

    def test_nothing_costs_nothing(self) -> None:
        """What costs nothing has no inverse ratio; nor does it raise."""
        figures = {**FIGURES, "direct": {"rate": 200.0, "cost": 0.0}}
        found = ratios(figures, "base", [RATE, COST])
        self.assertEqual(found["direct"], {"rate": 2.0})

    def test_no_base(self) -> None:
        """Without the base's figures there are no ratios."""
        self.assertEqual(ratios(FIGURES, "other", [RATE, COST]), {})


class MeritTests(SynchronousTestCase):
    """One direction for all rows of a picture."""

    def test_more_is_better(self) -> None:
        """Half the rate, twice the time, twice the cost: all are half as good."""
        figures = {
            "base": {"up_gbit": 8.0, "up_cpu": 0.5, "pp_cpu": 7.0, "pp_p50": 100.0},
            "ours": {"up_gbit": 4.0, "up_cpu": 1.0, "pp_cpu": 14.0, "pp_p50": 200.0},
        }
        self.assertEqual(set(merits(figures, "base")["ours"].values()), {0.5})

    def test_direction_of_every_row(self) -> None:
        """Only of what is moved in a second more is better."""
        more = {metric.name for metric in METRICS if metric.more}
        self.assertEqual(
            more, {name for name in NAMES if name.endswith(("_rate", "_gbit"))}
        )
        both = [metric.name for metric in METRICS if metric.more and metric.inverse]
        self.assertEqual(both, [])


class FaultTests(SynchronousTestCase):
    """What the figures do not show."""

    def test_errors_are_added_up(self) -> None:
        """One line a cell, however many rounds there were."""
        runs = [run(errors=2), run("base"), run(errors=3)]
        self.assertEqual(faults(runs, ORDER), ["ours, short: 5 errors, 20 done"])

    def test_inexact_half_close(self) -> None:
        """A proxy that loses the end of a stream is named."""
        runs = [run("base", "up"), run("ours", "up", exact=0)]
        (line,) = faults(runs, ORDER)
        self.assertTrue(line.startswith("ours, up: 0 of 8 half-closed streams"), line)

    def test_other_modes_close_in_another_way(self) -> None:
        """Only bulk streams are half-closed."""
        self.assertEqual(faults([run(exact=0)], ORDER), [])


class TableTests(SynchronousTestCase):
    """The text that is printed."""

    SUMMARY = Summary(
        {"base": {"rate": 1234.4}, "ours": {"rate": 99.0, "cost": 7.0}},
        {("ours", "rate"): "~"},
    )

    def test_layout(self) -> None:
        """Aligned columns, marks before figures, a dash where there is none."""
        self.assertEqual(
            table(self.SUMMARY, self.SUMMARY.figures, [RATE, COST]).splitlines(),
            [
                "|        | base | ours |",
                "|--------|-----:|-----:|",
                "| conn/s | 1234 |  ~99 |",
                "| CPU    |    - |  7.0 |",
            ],
        )

    def test_ratios_have_two_places(self) -> None:
        """Whatever the figure they are made of has; empty rows are left out."""
        figures = {"ours": {"rate": 0.5}}
        lines = table(self.SUMMARY, figures, [RATE, COST], ratio=True).splitlines()
        self.assertEqual(lines[2:], ["| conn/s | ~0.50 |"])

    def test_metrics_have_names_of_their_own(self) -> None:
        """Two rows of one name would overwrite each other."""
        names = [metric.name for metric in METRICS]
        self.assertEqual(len(set(names)), len(names))
