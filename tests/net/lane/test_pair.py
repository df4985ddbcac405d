"""Tests for L{portmux.net.lane.pair}; how both engines end is in test_lane."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from portmux.core.session import LINGER
from portmux.net.engine import Kind
from portmux.net.lane.pair import NO_LINGER, Pair
from tests.net.stage import StageCase, forwarding, policy


class PairTests(StageCase):
    kind = Kind.LANE

    def setUp(self) -> None:
        super().setUp()
        address, self.listening = self.backend()
        self.policy = policy([(b"a", forwarding(address))], idle=5.0)

    def paired(self) -> tuple[Pair, socket.socket, socket.socket]:
        """@return: a pair, and the two peers' ends."""
        client = self.accept(self.policy, b"a")
        back = self.accepted(self.listening)
        self.assertEqual(self.receive(back), b"a")
        (pair,) = self.engine.live
        assert isinstance(pair, Pair)
        return pair, client, back

    def fill(self, pair: Pair, back: socket.socket) -> int:
        """@return: how much the backend has sent until the client took no more."""
        back.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        sent = 0
        while not pair.down.left:
            with contextlib.suppress(BlockingIOError):
                sent += back.send(bytes(1 << 16))
            self.reactor.settle()
        return sent

    def test_no_linger(self) -> None:
        """What makes closing a reset."""
        self.assertEqual(NO_LINGER, struct.pack("ii", 1, 0))

    def test_nothing_is_left_open(self) -> None:
        """Neither by an end in order nor by a reset."""
        found: list[int] = []
        for stop in (False, True, False, True):
            pair, client, back = self.paired()
            self.fill(pair, back)
            if stop:
                pair.stop("stopped")
            back.close()
            self.receive(client)
            client.close()
            self.reactor.settle()
            self.assertEqual(self.engine.live, set())
            found.append(len(os.listdir("/dev/fd")))
        self.assertEqual(found[2:], found[:2])

    def test_what_is_dropped_is_not_counted(self) -> None:
        """Only what the client's socket has taken."""
        pair, client, back = self.paired()
        sent = self.fill(pair, back)
        self.assertLess(pair.session.received, sent)
        received = pair.session.received
        pair.stop("stopped")
        self.assertEqual(len(self.receive(client)), received)
        self.assertEqual(self.record().received, received)

    def test_time_for_the_last_bytes(self) -> None:
        """Again and again, while some of them arrive; then a reset takes the rest."""
        pair, client, back = self.paired()
        self.fill(pair, back)
        self.reactor.advance(5.1)
        for _ in range(3):
            self.reactor.advance(LINGER - 1)
            client.recv(100_000)
            self.reactor.settle()
            self.assertEqual(self.records, [])
        self.reactor.advance(LINGER + 1)
        self.reactor.advance(LINGER + 1)
        self.assertEqual(self.record().end, "idle-timeout")

    def test_mistake(self) -> None:
        """It costs this connection, and is told."""
        pair, client, _ = self.paired()
        del pair.up.target
        client.send(b"x")
        self.reactor.settle()
        self.assertTrue(self.flushLoggedErrors(AttributeError))
        self.assertEqual(self.record().end, "error")
