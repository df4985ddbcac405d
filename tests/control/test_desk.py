"""Tests for L{portmux.control.desk}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import ALL, PLEXY
from portmux.control.desk import Desk
from tests.control.stage import Office


class DeskTests(SynchronousTestCase):
    def test_table(self) -> None:
        desk = Desk(Office())
        self.assertEqual(desk.table, ALL)
        desk.commands = "plexy"
        self.assertEqual(desk.table, PLEXY)

    def test_token(self) -> None:
        """Without one, everybody knows it."""
        desk = Desk(Office())
        self.assertTrue(desk.knows("anything"))
        desk.token = "gehüm".encode()
        self.assertTrue(desk.knows("gehüm"))
        for wrong in ("", "gehum", "gehüm ", "\udcff"):
            self.assertFalse(desk.knows(wrong))
