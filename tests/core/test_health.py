"""Tests for L{portmux.core.health}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.health import Ejection, Health


class HealthTests(SynchronousTestCase):
    def test_errors(self) -> None:
        """Those in a row count, and the last one is remembered."""
        health = Health()
        health.failed("connection refused", 1.0)
        health.failed("no route to host", 2.0)
        self.assertEqual(health.errors, 2)
        self.assertEqual(
            (health.last_error, health.last_reason), (2.0, "no route to host")
        )
        health.restore()
        self.assertEqual((health.errors, health.last_error), (0, 2.0))

    def test_interval(self) -> None:
        """It is the configured one, however often a check fails."""
        health, rule = Health(), Ejection(recheck=7.0)
        self.assertFalse(health.ejected)
        health.eject(rule, 100.0)
        self.assertTrue(health.ejected)
        self.assertEqual(health.recheck_at, 107.0)
        for now in (107.0, 114.0, 121.0):
            health.postpone(rule, now)
            self.assertEqual(health.recheck_at, now + 7.0)

    def test_backoff(self) -> None:
        """Each check that fails doubles the wait, up to a limit; success ends it."""
        health, rule = Health(), Ejection(recheck=2.0, backoff=10.0)
        health.eject(rule, 0.0)
        waits = []
        for _ in range(4):
            health.postpone(rule, 0.0)
            waits.append(health.recheck_at)
        self.assertEqual(waits, [4.0, 8.0, 10.0, 10.0])
        health.restore()
        self.assertFalse(health.ejected)
        health.eject(rule, 0.0)
        self.assertEqual(health.recheck_at, 2.0)

    @given(st.floats(0.001, 1e4), st.floats(0.001, 1e4), st.integers(0, 50))
    def test_wait(self, recheck: float, backoff: float, failures: int) -> None:
        """It is never shorter than the interval, never longer than both."""
        health, rule = Health(), Ejection(recheck=recheck, backoff=backoff)
        health.eject(rule, 0.0)
        for _ in range(failures):
            health.postpone(rule, 0.0)
        assert health.recheck_at is not None
        self.assertTrue(recheck <= health.recheck_at <= max(recheck, backoff))
