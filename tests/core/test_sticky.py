"""Tests for L{portmux.core.sticky}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import Backend
from portmux.core.sticky import Sticky

ONE, OTHER = (Backend(Host(f"10.0.0.{last}", 80)) for last in (1, 2))


class StickyTests(SynchronousTestCase):
    def test_time(self) -> None:
        """It is kept until its time has come, and may be renewed or changed."""
        table = Sticky()
        self.assertIsNone(table.find("x", 0.0))
        table.put("x", ONE, 10.0)
        self.assertIs(table.find("x", 9.9), ONE)
        self.assertIsNone(table.find("x", 10.0))
        table.put("x", OTHER, 20.0)
        self.assertIs(table.find("x", 10.0), OTHER)

    def test_size(self) -> None:
        """It does not grow for ever: who was not seen for longest is forgotten."""
        table = Sticky(most=2)
        for source in ("x", "y", "x", "z"):
            table.put(source, ONE, 10.0)
        self.assertEqual([table.find(each, 0.0) for each in "xyz"], [ONE, None, ONE])
