"""Tests for L{portmux.net.lane.relay}: the lane's own keeps to it."""

from __future__ import annotations

import socket

from portmux.core.effects import Phase
from portmux.core.session import Session
from portmux.net.engine import Kind
from portmux.net.lane.lane import Lane
from portmux.net.lane.relay import Relay
from portmux.net.live import Live
from tests.net.stage import LOCAL, StageCase, forwarding, policy


class OwnRelayTests(StageCase):
    kind = Kind.LANE

    def setUp(self) -> None:
        super().setUp()
        self.lane = Lane(self.engine)
        self.addCleanup(self.lane.stop)
        self.relay: Relay = self.lane.relay
        self.over: list[Live] = []

    def tearDown(self) -> None:
        self.lane.stop()
        super().tearDown()

    def begun(self, rest: bytes = b"") -> tuple[Live, socket.socket, socket.socket]:
        """@return: a pair, and the two peers' ends."""
        address, _ = self.backend()
        wanted = policy([(b"a", forwarding(address))])
        session = Session(wanted, LOCAL, LOCAL, self.reactor.seconds())
        session.open()
        session.receive(b"abc", self.reactor.seconds())
        session.connected(self.reactor.seconds())
        session.sent += 3
        client, ours = map(self.keep, socket.socketpair())
        backend, theirs = map(self.keep, socket.socketpair())
        ours.setblocking(True)
        pair = self.relay.begin(session, ours, theirs, rest, self.over.append)
        self.assertEqual(self.over, [])
        return pair, client, backend

    def test_nested(self) -> None:
        """It watches with the lane's own poller."""
        self.assertTrue(self.relay.nested)

    def test_rest(self) -> None:
        """What the backend is still to have goes first, and is counted once."""
        pair, client, backend = self.begun(b"bc")
        self.assertEqual(pair.session.phase, Phase.RELAY)
        client.send(b"d")
        self.assertEqual(self.receive(backend), b"bcd")
        self.assertEqual(pair.session.sent, 4)
        pair.stop("stopped")
        self.assertEqual(self.over, [pair])

    def test_backend_is_gone_already(self) -> None:
        """What it never had is not counted."""
        pair, _, backend = self.begun(b"bc")
        backend.close()
        self.reactor.settle()
        self.assertEqual(self.over, [pair])
        self.assertEqual(pair.session.sent, 1)
        self.assertEqual(pair.session.closed(0.0).end, "backend-lost")
