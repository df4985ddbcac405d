"""Tests for L{portmux.core.muxmetrics}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.counts import Histogram
from portmux.core.metrics import Metrics
from portmux.core.mux.tally import Tally
from portmux.core.muxmetrics import MUXES


class MuxMetricsTests(SynchronousTestCase):
    def test_numbers(self) -> None:
        metrics = Metrics("1", lambda: (0, 0))
        metrics.opened("front", front := metrics.listener("front"))
        tally = front.mux("plc", Tally)
        tally.result("answered", "17")
        tally.queued, tally.open, tally.unsolicited = 3, 1, 2
        tally.unit("17").answered.observe(0.2)
        read = {
            each.name.removeprefix("portmux_mux_"): [
                (
                    labels,
                    sum(number.counts) if isinstance(number, Histogram) else number,
                )
                for labels, number in each.read(metrics)
            ]
            for each in MUXES
        }
        labels = ("front", "plc")
        self.assertEqual(read["requests_total"], [((*labels, "answered"), 1)])
        self.assertEqual(read["queue"], [(labels, 3)])
        self.assertEqual(read["connections"], [(labels, 1)])
        self.assertEqual(read["unsolicited_total"], [(labels, 2)])
        self.assertEqual(read["repeated_total"], [(labels, 0)])
        units = [((*labels, "17", "answered"), 1)]
        self.assertEqual(read["unit_requests_total"], units)
        self.assertEqual(read["unit_answer_seconds"], [((*labels, "17"), 1)])

    def test_each_has_its_labels(self) -> None:
        metrics = Metrics("1", lambda: (0, 0))
        metrics.opened("front", front := metrics.listener("front"))
        tally = front.mux("plc", Tally)
        tally.result("answered", "17")
        for each in MUXES:
            for labels, _ in each.read(metrics):
                self.assertEqual(len(labels), len(each.labels), each.name)
