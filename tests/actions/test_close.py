"""Tests for L{portmux.actions.close}."""

from __future__ import annotations

from portmux.actions.close import Close
from portmux.core.plan import Closing
from tests.actions.decoding import decoded
from tests.net.stage import StageCase, policy


class CloseTests(StageCase):
    def test_written(self) -> None:
        """Alone, or with its option."""
        self.assertEqual(decoded("close"), Close())
        self.assertEqual(decoded("close:"), Close())
        self.assertEqual(decoded("close: {reset: true}"), Close(reset=True))

    def test_plan(self) -> None:
        """Engines close by themselves."""
        self.assertEqual(Close(reset=True).plan(), Closing(reset=True))

    def test_close(self) -> None:
        """The client sees the end, the record says that it was meant."""
        client = self.accept(policy([(b"a", Close().plan())]), b"abc")
        self.assertTrue(self.is_ended(client))
        record = self.record()
        self.assertEqual((record.end, record.backend), ("closed", "close"))
