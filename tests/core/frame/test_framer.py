"""Tests for L{portmux.core.frame.framer}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import OPAQUE, Frame, Trouble


class OpaqueTests(SynchronousTestCase):
    def test_knows_nothing(self) -> None:
        """Frames stay what they are, and nothing is said of them."""
        request, answer = Frame(b"1"), Frame(b"2")
        self.assertFalse(OPAQUE.numbered)
        self.assertIsNone(OPAQUE.number(request))
        self.assertIs(OPAQUE.outgoing(request, 7), request)
        self.assertIs(OPAQUE.incoming(request, answer), answer)
        self.assertIsNone(OPAQUE.mismatch(request, answer))
        self.assertTrue(OPAQUE.answered(request))
        self.assertFalse(OPAQUE.repeatable(request))
        for trouble in Trouble:
            self.assertIsNone(OPAQUE.failure(request, trouble))
