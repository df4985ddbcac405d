"""Tests for L{portmux.core.tunnelmetrics}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.sources.tunnel import tunnel
from portmux.control.plexy import numbers
from portmux.core.address import Host
from portmux.core.metrics import METRICS, Metrics
from portmux.core.tunnelmetrics import TUNNELS
from tests.control.stage import NOW, Office

PLEXY = """\
number_of_tunnels tunnel_bytes_sent_total tunnel_bytes_received_total
tunnel_streams_open tunnel_total_connections_total tunnel_errors_total
remote_bytes_sent_total remote_bytes_received_total remote_streams_open
remote_streams_pending remote_total_connections_total remote_errors
remote_total_errors_total
"""


class TunnelMetricTests(SynchronousTestCase):
    def test_names(self) -> None:
        """plexy's, with what is misspelt there put right; none is ours, too."""
        names = [metric.name for metric in TUNNELS]
        self.assertEqual(sorted(names), sorted(PLEXY.split()))
        self.assertTrue(set(names).isdisjoint(metric.name for metric in METRICS))

    def test_numbers(self) -> None:
        office = Office()
        office.open_tunnel(tunnel("1=2,3"))
        session = office.session("127.0.0.1:1", Host("127.0.0.1", 5))
        session.connect_failed("refused", NOW)
        session.connected(NOW)
        session.sent = 7
        metrics = Metrics("1", lambda: (0, 0), tunnels=lambda: numbers(office))
        found = {metric.name: dict(metric.read(metrics)) for metric in TUNNELS}
        one = ("127.0.0.1:1",)
        first, second = (*one, "127.0.0.1:2"), (*one, "127.0.0.1:3")
        self.assertEqual(found["number_of_tunnels"], {(): 1})
        self.assertEqual(found["tunnel_bytes_sent_total"], {one: 7})
        self.assertEqual(found["tunnel_errors_total"], {first: 1, second: 0})
        self.assertEqual(found["remote_streams_open"], {first: 0, second: 1})
        self.assertEqual(found["remote_total_connections_total"][second], 1)

    def test_none(self) -> None:
        metrics = Metrics("1", lambda: (0, 0))
        self.assertEqual([list(each.read(metrics)) for each in TUNNELS][1:], [[]] * 12)
