"""Tests for L{portmux.net.life}."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from portmux.net.life import Ending


class EndingTests(SynchronousTestCase):
    def test_after(self) -> None:
        """Whoever waits goes on when it comes."""
        ending = Ending()
        waiting = Deferred.fromCoroutine(ending.wait())
        self.assertNoResult(waiting)
        ending.come()
        self.successResultOf(waiting)

    def test_before(self) -> None:
        """It may come before anybody waits, and more than once."""
        ending = Ending()
        ending.come()
        ending.come()
        self.successResultOf(Deferred.fromCoroutine(ending.wait()))

    def test_cancelled(self) -> None:
        """Waiting can be cancelled; then it may still come."""
        ending = Ending()
        waiting = Deferred.fromCoroutine(ending.wait())
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        ending.come()
