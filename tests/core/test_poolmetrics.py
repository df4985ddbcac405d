"""Tests for L{portmux.core.poolmetrics}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import Backend
from portmux.core.counts import Histogram
from portmux.core.errand import Errand
from portmux.core.health import Ejection
from portmux.core.metrics import METRICS, Metrics
from portmux.core.plan import Forwarding
from portmux.core.pool import Pool, Settings
from portmux.core.poolmetrics import POOLS
from portmux.core.waiting import Queue
from portmux.testing import SOURCE

NOW = 1_750_000_000.0

A, B = Host("10.0.0.1", 80), Host("10.0.0.2", 80)


class PoolMetricsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pool = Pool.of(
            [Backend(A, 3, 1), Backend(B)],
            Settings(eject=Ejection(), queue=Queue(1, 5.0)),
            "web",
        )
        self.metrics = Metrics("1.2.3", lambda: (4, 1000), pools=[self.pool])

    def read(self, name: str) -> list[int]:
        """@return: a metric's numbers in order; how many a histogram has seen."""
        (metric,) = (one for one in POOLS if one.name == f"portmux_{name}")
        found = []
        for labels, number in metric.read(self.metrics):
            self.assertEqual((len(labels), labels[0]), (len(metric.labels), "web"))
            found.append(
                sum(number.counts) if isinstance(number, Histogram) else number
            )
        return found

    def errand(self) -> Errand:
        one = Errand(Forwarding(self.pool), SOURCE)
        one.next(NOW)
        return one

    def test_sessions(self) -> None:
        one = self.errand()
        self.assertEqual(self.read("backend_sessions_open"), [1, 0])
        self.assertEqual(self.read("backend_sessions_pending"), [1, 0])
        one.connected(NOW)
        self.assertEqual(self.read("backend_sessions_pending"), [0, 0])
        self.assertEqual(self.read("backend_sessions_total"), [1, 0])
        one.let_go(NOW)
        self.assertEqual(self.read("backend_sessions_open"), [0, 0])

    def test_errors(self) -> None:
        self.errand().failed("connection refused", NOW)
        self.assertEqual(self.read("backend_errors_total"), [1, 0])
        self.assertEqual(self.read("backend_ejections_total"), [1, 0])
        self.assertEqual(self.read("backend_up"), [0, 1])
        self.assertEqual(self.read("backend_weight"), [3, 1])
        self.assertEqual(self.read("pool_backends"), [1, 1, 0, 0])

    def test_octets(self) -> None:
        totals = self.pool.backends[1].totals
        totals.sent, totals.received = 1000, 500
        self.assertEqual(self.read("backend_sent_bytes_total"), [0, 1000])
        self.assertEqual(self.read("backend_received_bytes_total"), [0, 500])

    def test_queue(self) -> None:
        self.pool.disable(self.pool.backends[1], NOW)
        first, waiting, _ = self.errand(), self.errand(), self.errand()
        self.assertEqual(self.read("queue_sessions"), [1])
        self.assertEqual(self.read("queue_refused_total"), [1])
        waiting.expired(NOW + 5)
        self.assertEqual(self.read("queue_expired_total"), [1])
        self.assertEqual(self.read("queue_seconds"), [1])
        self.assertEqual(self.read("queue_sessions"), [0])
        first.let_go(NOW)

    def test_names(self) -> None:
        """As Prometheus would have them, and each only once."""
        names = [metric.name for metric in (*METRICS, *POOLS)]
        self.assertEqual(len(set(names)), len(names))
        for metric in POOLS:
            self.assertTrue(metric.name.startswith("portmux_"))
            self.assertEqual(metric.kind == "counter", metric.name.endswith("_total"))
            self.assertTrue(metric.help.endswith("."))
