"""Tests for L{portmux.actions.echo}."""

from __future__ import annotations

import random
import socket

from portmux.actions.echo import Echo
from tests.actions.decoding import decoded
from tests.net.stage import StageCase, policy


class EchoTests(StageCase):
    def test_written(self) -> None:
        """It has no options."""
        self.assertEqual(decoded("echo:"), Echo())

    def test_echo(self) -> None:
        """Every octet comes back, then the end."""
        client = self.accept(policy([(b"a", Echo().plan())]), b"abc")
        client.sendall(b"def")
        self.assertEqual(self.receive(client), b"abcdef")
        client.sendall(b"ghi")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.receive(client), b"ghi")
        self.assertTrue(self.is_ended(client))
        record = self.record()
        self.assertEqual((record.sent, record.received, record.end), (9, 9, "done"))

    def test_reader_that_does_not_read(self) -> None:
        """It cannot send either, and has all of it in the end."""
        client = self.accept(policy([(b"a", Echo().plan())]), b"a")
        data, sent = b"a" + random.Random(1).randbytes(8 << 20), 1
        with self.assertRaises(BlockingIOError):
            while True:
                sent += client.send(data[sent : sent + 65536])
                self.reactor.settle()
        self.assertLess(sent, 4 << 20)
        self.assertEqual(self.receive(client), data[:sent])
        client.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.assertEqual(self.record().received, sent)

    def test_end_before_all_is_back(self) -> None:
        """What is under way when the client finishes still arrives."""
        client = self.accept(policy([(b"a", Echo().plan())]), b"a")
        sent = 1
        with self.assertRaises(BlockingIOError):
            while True:
                sent += client.send(bytes(65536))
                self.reactor.settle()
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(len(self.receive(client)), sent)
        self.assertEqual(self.record().end, "done")

    def test_client_gone(self) -> None:
        """The end of the connection is the end of the action."""
        self.accept(policy([(b"a", Echo().plan())]), b"abc")
        self.stop_all()
        self.assertEqual(self.record().end, "stopped")
