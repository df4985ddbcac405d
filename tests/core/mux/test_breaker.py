"""Tests for L{portmux.core.mux.breaker}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.counts import MOST
from portmux.core.mux.breaker import Breaker, Rule


class BreakerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.breaker = Breaker(Rule(2, 10.0))

    def test_opens_after_so_many_failures_in_a_row(self) -> None:
        breaker = self.breaker
        breaker.failed("1", 0.0)
        breaker.answered("1")
        breaker.failed("1", 1.0)
        self.assertTrue(breaker.admit("1", 1.0))
        breaker.failed("1", 2.0)
        self.assertFalse(breaker.admit("1", 2.0))
        self.assertTrue(breaker.is_open("1", 11.9))
        self.assertTrue(breaker.admit("2", 2.0))

    def test_then_one_tries(self) -> None:
        breaker = self.breaker
        breaker.failed("1", 0.0)
        breaker.failed("1", 0.0)
        self.assertFalse(breaker.is_open("1", 10.0))
        self.assertTrue(breaker.admit("1", 10.0))
        self.assertFalse(breaker.admit("1", 10.0))
        self.assertTrue(breaker.admit("1", 20.0))

    def test_an_answer_closes_it(self) -> None:
        breaker = self.breaker
        breaker.failed("1", 0.0)
        breaker.failed("1", 0.0)
        breaker.answered("1")
        self.assertTrue(breaker.admit("1", 0.0))

    def test_is_bounded(self) -> None:
        for number in range(2 * MOST):
            self.breaker.failed(str(number), 0.0)
            self.breaker.failed(str(number), 0.0)
        self.assertTrue(self.breaker.is_open("0", 1.0))
        self.assertFalse(self.breaker.is_open(str(MOST), 1.0))
