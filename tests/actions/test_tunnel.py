"""Tests for L{portmux.actions.tunnel}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.tunnel import Tunnel
from portmux.core.address import Host
from portmux.core.pool import Settings


class TunnelTests(SynchronousTestCase):
    def test_plan(self) -> None:
        """Its pool decides how connections are made."""
        remotes = (Host("a", 1), Host("b", 2))
        plan = Tunnel("127.0.0.1:1", remotes, Settings(attempts=2)).plan()
        self.assertEqual((plan.timeout, plan.attempts), (None, None))
        self.assertEqual(plan.pool.name, "127.0.0.1:1")
        self.assertEqual([each.address for each in plan.pool.backends], list(remotes))
        self.assertEqual(plan.pool.settings.attempts, 2)
