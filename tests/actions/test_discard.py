"""Tests for L{portmux.actions.discard}."""

from __future__ import annotations

import socket

from portmux.actions.discard import Discard
from tests.actions.decoding import decoded
from tests.net.stage import StageCase, policy


class DiscardTests(StageCase):
    def test_written(self) -> None:
        """It has no options."""
        self.assertEqual(decoded("discard"), Discard())

    def test_discard(self) -> None:
        """All is read, nothing is answered, the end is answered by the end."""
        client = self.accept(policy([(b"a", Discard().plan())]), b"abc")
        sent = 3
        while sent < 8 << 20:
            sent += client.send(bytes(1 << 16))
            self.reactor.settle()
        self.assertEqual(self.receive(client), b"")
        self.assertEqual(self.records, [])
        client.shutdown(socket.SHUT_WR)
        self.assertTrue(self.is_ended(client))
        record = self.record()
        self.assertEqual((record.sent, record.received), (sent, 0))
        self.assertEqual((record.end, record.backend), ("done", "discard"))

    def test_client_gone(self) -> None:
        """The end of the connection is the end of the action."""
        self.accept(policy([(b"a", Discard().plan())]), b"abc")
        self.stop_all()
        self.assertEqual(self.record().end, "stopped")
