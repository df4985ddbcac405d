"""Tests for L{portmux.control.flow}."""

from __future__ import annotations

from twisted.internet.address import IPv6Address
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from portmux.control.flow import LINGER, PATIENCE, Flow, cancel
from portmux.control.turns import Turns
from tests.control.stage import Wire


class FlowTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire, self.clock, self.gone_on = Wire(), Clock(), 0
        self.again = self.mistake = False
        self.flow = Flow(self.wire, self.clock, Turns(), self._go_on)

    def _go_on(self) -> None:
        self.gone_on += 1
        if self.again:
            self.again = False
            self.flow.take_turn()
        if self.mistake:
            self.gone_on //= 0

    def test_producer(self) -> None:
        self.assertTrue(verifyObject(IPushProducer, self.flow))
        self.assertIs(self.wire.producer, self.flow)
        self.flow.stopProducing()

    def test_paused(self) -> None:
        """For so long, and no longer."""
        self.flow.pauseProducing()
        self.clock.advance(PATIENCE - 1)
        self.flow.pauseProducing()
        self.flow.resumeProducing()
        self.assertEqual(self.gone_on, 1)
        self.flow.pauseProducing()
        self.clock.advance(PATIENCE - 1)
        self.assertFalse(self.wire.aborted)
        self.clock.advance(1)
        self.assertTrue(self.wire.aborted)

    def test_hold(self) -> None:
        self.flow.hold(True)
        self.assertFalse(self.wire.reading)
        self.flow.hold(False)
        self.assertTrue(self.wire.reading)
        self.flow.end()
        self.flow.hold(True)
        self.assertTrue(self.wire.reading, "there is nothing to read any more")

    def test_turn(self) -> None:
        """It comes at once; what asks for another one then has it later."""
        self.again = True
        self.flow.take_turn()
        self.assertEqual(self.gone_on, 2)

    def test_wrong_turn(self) -> None:
        """A mistake of ours ends this client and no other."""
        self.mistake = True
        self.flow.take_turn()
        self.assertTrue(self.wire.aborted)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_close(self) -> None:
        """The client ends after us; or in time."""
        self.flow.write(b"last")
        self.flow.close()
        self.flow.close()
        self.assertTrue(self.wire.finished and self.wire.reading)
        self.assertIsNone(self.wire.producer)
        self.flow.end()
        self.assertTrue(self.wire.lost)
        self.clock.advance(LINGER)
        self.assertTrue(self.wire.aborted)

    def test_close_after_the_end(self) -> None:
        self.flow.end()
        self.flow.close()
        self.assertTrue(self.wire.lost and not self.wire.finished)

    def test_over(self) -> None:
        """No call is left."""
        self.flow.pauseProducing()
        self.flow.over()
        self.flow.take_turn()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        cancel(None)
        self.assertEqual(self.flow.peer, "somebody")
        self.wire.peer = IPv6Address("TCP", "::1", 5)
        self.assertEqual(self.flow.peer, "[::1]:5")
