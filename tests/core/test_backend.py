"""Tests for L{portmux.core.backend}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import COLD, Backend, State
from portmux.core.health import Ejection

A, B = Host("10.0.0.1", 80), Host("10.0.0.2", 80)


class BackendTests(SynchronousTestCase):
    def test_each_is_itself(self) -> None:
        """Two of the same address have counts of their own."""
        self.assertNotEqual(Backend(A), Backend(A))

    def test_state(self) -> None:
        """What an operator wants counts for more than what checks have found."""
        backend = Backend(A)
        self.assertIs(backend.state, State.UP)
        backend.health.eject(Ejection(), 0.0)
        self.assertIs(backend.state, State.EJECTED)
        backend.wanted = State.DRAINING
        self.assertIs(backend.state, State.DRAINING)

    def test_room(self) -> None:
        backend = Backend(A, most=2)
        backend.active = 1
        self.assertTrue(backend.has_room)
        backend.active = 2
        self.assertFalse(backend.has_room)
        backend.most = None
        self.assertTrue(backend.has_room)

    def test_slow_start(self) -> None:
        """The share grows evenly from a tenth to the weight, and stays there."""
        backend = Backend(A, weight=10)
        self.assertEqual(backend.share(0.0), 10)
        backend.warm_up(100.0, 1000.0)
        shares = [backend.share(1000.0 + passed) for passed in (0, 5, 50, 99, 100)]
        self.assertEqual(shares, [10 * COLD, 10 * COLD, 5.0, 9.9, 10])
        self.assertEqual(backend.share(1000.0), 10, "it is warm for good")
        backend.warm_up(None, 1000.0)
        self.assertEqual(backend.share(1000.0), 10)

    @given(st.text(max_size=40))
    def test_draw(self, source: str) -> None:
        """A number between 0 and 1, the same for the same backend and source."""
        drawn = Backend(A).draw(source)
        self.assertTrue(0.0 < drawn < 1.0)
        self.assertEqual(drawn, Backend(A).draw(source))
        self.assertNotEqual(drawn, Backend(B).draw(source))

    def test_draw_is_for_ever(self) -> None:
        """A restart, or another machine, leaves sources where they are."""
        self.assertAlmostEqual(Backend(A).draw("192.0.2.7"), 0.728414343239, places=12)
