"""Tests for L{portmux.core.metrics}, with sessions that are led by hand."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.counts import MOST, OTHER, Histogram
from portmux.core.effects import Side
from portmux.core.limits import Ban, Count, Gate, Limits
from portmux.core.match.prefix import Prefix
from portmux.core.metrics import METRICS, Metrics
from portmux.core.plan import Closing, Forwarding
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.session import Session
from portmux.core.sniff import Route, Table, Way
from portmux.testing import LOCAL, SOURCE

START = 1_750_000_000.0

A, B = Host("10.0.0.1", 80), Host("10.0.0.2", 80)

Number = int | list[int]


class MetricsCase(SynchronousTestCase):
    """One listener: C{web} is forwarded to A, then B; C{no} is closed."""

    def setUp(self) -> None:
        self.metrics = Metrics("1.2.3", lambda: (4, 1000))
        self.policy = self.made(Limits())

    def made(self, limits: Limits) -> Policy:
        plan = Forwarding(Pool.of([A, B]), 10.0, 2)
        table = Table(
            [
                Route(Prefix((b"web",)), Way("web", plan)),
                Route(Prefix((b"no",)), Way("no", Closing())),
            ]
        )
        counts = self.metrics.listener("front")
        self.metrics.opened("front", counts)
        return Policy("front", table, Gate(limits, Count()), 3.0, counts=counts)

    def opened(self, first: bytes = b"", now: float = START) -> Session:
        session = Session(self.policy, SOURCE, LOCAL, START)
        session.open()
        if first:
            session.receive(first, now)
        return session

    def read(self, name: str) -> dict[tuple[str, ...], Number]:
        """@return: by labels, a metric's numbers; buckets of histograms."""
        (metric,) = (one for one in METRICS if one.name == f"portmux_{name}")
        return {
            labels: number.counts if isinstance(number, Histogram) else number
            for labels, number in metric.read(self.metrics)
        }


class ListenerTests(SynchronousTestCase):
    def test_unopened(self) -> None:
        """What was never open has no numbers; what was keeps them."""
        metrics = Metrics("1", lambda: (0, 0))
        metrics.listener("front")
        self.assertEqual(metrics.listeners, {})
        counts = metrics.listener("front")
        metrics.opened("front", counts)
        self.assertIs(metrics.listener("front"), counts)

    def test_too_many(self) -> None:
        """Any more are counted together."""
        metrics = Metrics("1", lambda: (0, 0))
        for number in range(MOST + 2):
            metrics.opened(str(number), metrics.listener(str(number)))
        self.assertEqual(len(metrics.listeners), MOST + 1)
        self.assertIs(metrics.listener("new"), metrics.listeners[OTHER])


class SessionTests(MetricsCase):
    def test_before_any(self) -> None:
        """What can be named has its number, so that the first one is an increase."""
        front, a, b = ("front",), ("front", str(A)), ("front", str(B))
        self.assertEqual(self.read("accepted_total"), {front: 0})
        self.assertEqual(self.read("connect_attempts_total"), {a: 0, b: 0})
        self.assertEqual(self.read("sessions_total"), {})

    def test_one(self) -> None:
        """Open, then ended: the numbers move from one to the other."""
        session = self.opened(b"web", START + 0.05)
        session.connected(START + 0.06)
        session.sent, session.received = 3, 5
        self.assertEqual(self.read("sessions_open"), {("front",): 1})
        self.assertEqual(self.read("sessions_total"), {})
        session.finished(Side.CLIENT, START + 1)
        session.finished(Side.BACKEND, START + 1)
        session.closed(START + 1)
        self.assertEqual(self.read("accepted_total"), {("front",): 1})
        self.assertEqual(self.read("sessions_open"), {("front",): 0})
        self.assertEqual(self.read("sessions_total"), {("front", "web", "match"): 1})
        self.assertEqual(self.read("ends_total"), {("front", "done"): 1})
        self.assertEqual(self.read("sent_bytes_total"), {("front", "web"): 3})
        self.assertEqual(self.read("received_bytes_total"), {("front", "web"): 5})
        self.assertEqual(
            self.read("sniff_seconds"), {("front",): [0, 0, 1, 0, 0, 0, 0, 0]}
        )

    def test_backends(self) -> None:
        """Each attempt counts for the backend that it was made to."""
        session = self.opened(b"web")
        session.connect_failed("connection refused", START + 1)
        session.connected(START + 1.3)
        a, b = ("front", str(A)), ("front", str(B))
        self.assertEqual(self.read("connect_attempts_total"), {a: 1, b: 1})
        self.assertEqual(self.read("connect_errors_total"), {a: 1, b: 0})
        self.assertEqual(
            self.read("connect_seconds"),
            {a: [0] * 8, b: [0, 0, 0, 0, 1, 0, 0, 0]},
        )

    def test_refused(self) -> None:
        """By limit; and each counts as accepted, and as a session that has ended."""
        self.policy = self.made(Limits(connections=1))
        live = self.opened()
        for _ in range(2):
            self.opened().closed(START)
        self.assertEqual(self.read("refused_total"), {("front", "connections"): 2})
        self.assertEqual(self.read("sessions_total"), {("front", "-", "refused"): 2})
        self.assertEqual(self.read("accepted_total"), {("front",): 3})
        self.assertEqual(self.read("sessions_open"), {("front",): 1})
        live.closed(START)

    def test_bans(self) -> None:
        """The ban counts once, and who it refuses."""
        self.policy = self.made(Limits(ban=Ban(2, 60.0, 60.0)))
        for _ in range(3):
            self.opened(b"?").closed(START)
        self.assertEqual(self.read("bans_total"), {("front",): 1})
        self.assertEqual(self.read("refused_total"), {("front", "ban"): 1})

    def test_octets_of_all_causes(self) -> None:
        """A route that was taken for two causes has one sum."""
        for first in (b"no", b"no"):
            session = self.opened(first)
            session.received = 7
            session.closed(START)
        counts = self.metrics.listener("front")
        self.metrics.opened("front", counts)
        counts.passed["no", "timeout"] = counts.passed["no", "match"]
        self.assertEqual(self.read("received_bytes_total"), {("front", "no"): 28})


class ProgramTests(MetricsCase):
    def test_reloads(self) -> None:
        self.metrics.reloads, self.metrics.refused = 2, 3
        self.assertEqual(self.read("reloads_total"), {("ok",): 2, ("refused",): 3})

    def test_program(self) -> None:
        self.assertEqual(self.read("info"), {("1.2.3",): 1})
        self.assertEqual(self.read("descriptors_used"), {(): 4})
        self.assertEqual(self.read("descriptors_allowed"), {(): 1000})


class DeclarationTests(SynchronousTestCase):
    def test_names(self) -> None:
        """As Prometheus' own guide has them. @see: prometheus.io/docs/practices."""
        names = [metric.name for metric in METRICS]
        self.assertEqual(len(set(names)), len(names))
        for metric in METRICS:
            self.assertRegex(metric.name, r"^portmux(_[a-z]+)+$")
            total = metric.name.endswith("_total")
            self.assertEqual(total, metric.kind == "counter", metric.name)

    def test_helps(self) -> None:
        for metric in METRICS:
            self.assertTrue(re.fullmatch(r"[A-Z][^\n|]*\.", metric.help), metric.name)
