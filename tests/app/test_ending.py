"""Test portmux.app.ending; tests.app.test_service has the whole program."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.ending import Ending
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine
from tests.net.turned import Turned


class Stopped(Turned):
    """@ivar stops: how often it was told to stop."""

    stops = 0

    def stop(self) -> None:
        self.stops += 1


class EndingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Stopped()
        self.addCleanup(self.reactor.close)
        self.engine = Engine(self.reactor, Budget(10), lambda record: None)
        self.addCleanup(self.engine.stop)
        self.ending = Ending(lambda: self.engine)
        self.refused = 0

    def refuse(self) -> None:
        self.refused += 1

    def test_nobody_is_there(self) -> None:
        """It stops at once, once."""
        self.assertFalse(self.ending.near)
        self.ending.drain(10.0, self.refuse)
        self.ending.drain(10.0, self.refuse)
        self.assertTrue(self.ending.near)
        self.assertEqual((self.refused, self.reactor.stops), (1, 1))
        done: list[None] = []
        self.ending.cut().addCallback(done.append)
        self.assertEqual(done, [None])
