"""Tests for L{portmux.core.waiting}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import Backend
from portmux.core.waiting import Line

ONE, OTHER = (Backend(Host(f"10.0.0.{last}", 80)) for last in (1, 2))


class LineTests(SynchronousTestCase):
    def test_in_order(self) -> None:
        """Who came first, of those who can use the backend."""
        line = Line()
        picky, easy = line.enter((ONE,), 2), line.enter((), 2)
        self.assertEqual([*line], [picky, easy])
        self.assertIs(line.first_for(ONE), easy)
        self.assertIsNone(line.first_for(ONE))
        self.assertIs(line.first_for(OTHER), picky)
        self.assertEqual(len(line), 0)

    def test_length(self) -> None:
        """It has an end, and who finds it full is counted."""
        line = Line()
        self.assertIsNone(line.enter((), 0))
        ticket = line.enter((), 1)
        assert ticket is not None
        self.assertIsNone(line.enter((), 1))
        self.assertEqual(line.refused, 2)
        line.leave(ticket)
        line.leave(ticket)
        self.assertEqual(len(line), 0)
