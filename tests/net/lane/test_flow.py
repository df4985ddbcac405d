"""Tests for L{portmux.net.lane.flow}: to the octet, whichever way they are moved."""

from __future__ import annotations

import contextlib
import random
import socket
import struct

from portmux.net.engine import Kind
from portmux.net.lane.flow import COPIED, FEW, Flow
from portmux.net.lane.pair import Pair
from portmux.net.lane.pipes import RETRY, SIZE
from tests.net.stage import StageCase, forwarding, policy

DATA = random.Random(1).randbytes(6 << 20)


class FlowTests(StageCase):
    kind = Kind.LANE

    def setUp(self) -> None:
        super().setUp()
        address, listening = self.backend()
        wanted = policy([(b"a", forwarding(address))])
        self.client = self.accept(wanted, b"a")
        self.back = self.accepted(listening)
        self.assertEqual(self.receive(self.back), b"a")
        (live,) = self.engine.live
        assert isinstance(live, Pair)
        self.pair = live
        # A socket whose peer reads nothing takes as much as its buffer holds.
        for sock in (self.client, self.back, live.up.source, live.down.source):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def is_splicing(self, flow: Flow) -> bool:
        return flow._splicing

    def large(self, source: socket.socket, target: socket.socket, data: bytes) -> None:
        """Move what takes several reads, while the target reads."""
        sent, got = 0, b""
        while len(got) < len(data):
            if sent < len(data):
                with contextlib.suppress(BlockingIOError):
                    sent += source.send(data[sent : sent + (1 << 19)])
            got += self.receive(target)
        self.assertTrue(got == data)

    def test_small(self) -> None:
        """Copied, both ways, and counted."""
        self.client.send(b"bc")
        self.back.send(b"defg")
        self.assertEqual(self.receive(self.back), b"bc")
        self.assertEqual(self.receive(self.client), b"defg")
        session = self.pair.session
        self.assertEqual((session.sent, session.received), (3, 4))
        self.assertFalse(self.is_splicing(self.pair.up))

    def test_much(self) -> None:
        """Spliced after some full reads; only the direction that has so much."""
        self.large(self.client, self.back, DATA)
        self.assertTrue(self.is_splicing(self.pair.up))
        self.assertFalse(self.is_splicing(self.pair.down))
        self.assertEqual(self.pair.session.sent, 1 + len(DATA))

    def test_little_again(self) -> None:
        """Small pieces in a row are copied again; nothing is lost by the change."""
        self.large(self.back, self.client, DATA)
        self.assertTrue(self.is_splicing(self.pair.down))
        for number in range(FEW + 2):
            self.back.send(b"%d" % number)
            self.assertEqual(self.receive(self.client), b"%d" % number)
        self.assertFalse(self.is_splicing(self.pair.down))
        self.large(self.back, self.client, DATA)
        self.assertTrue(self.is_splicing(self.pair.down))

    def test_no_pipe(self) -> None:
        """The kernel refuses: the bytes are copied, and arrive."""
        self.pair.pipes._refused = self.reactor.seconds()
        self.large(self.client, self.back, DATA)
        self.assertFalse(self.is_splicing(self.pair.up))
        self.reactor.advance(RETRY)
        self.large(self.client, self.back, DATA)
        self.assertTrue(self.is_splicing(self.pair.up))

    def test_no_pipe_is_held(self) -> None:
        """Once they are empty, they are for all."""
        self.large(self.client, self.back, DATA)
        self.assertIsNone(self.pair.up.pipe)
        self.assertEqual(self.pair.up.left, 0)

    def test_target_is_full(self) -> None:
        """Reading stops; what was read is held, in a pipe at most; then it goes on."""
        sent = 0
        with self.assertRaises(BlockingIOError):
            while sent < len(DATA):
                sent += self.client.send(DATA[sent : sent + 50_000])
                self.reactor.settle()
        self.assertGreater(self.pair.up.left, 0)
        self.assertLessEqual(self.pair.up.left, COPIED + SIZE)
        self.assertTrue(self.receive(self.back) == DATA[:sent])
        self.assertEqual(self.pair.session.sent, 1 + sent)

    def test_end_behind_what_is_left(self) -> None:
        """The end of the source is known while the target is full still."""
        while not self.pair.up.left:
            self.client.send(bytes(COPIED // 2))
            self.reactor.settle()
        self.client.shutdown(socket.SHUT_WR)
        self.receive(self.back)
        self.assertTrue(self.is_ended(self.back))

    def test_reset_behind_an_end(self) -> None:
        """A client that has ended may still be cut off: the backend is told."""
        listening = self.keep(socket.create_server(("127.0.0.1", 0)))
        client = self.keep(socket.create_connection(listening.getsockname()))
        ours = listening.accept()[0]
        address, backends = self.backend("other")
        wanted = policy([(b"a", forwarding(address))])
        client.send(b"a")
        self.engine.accept(ours, address, address, wanted)
        back = self.accepted(backends)
        client.shutdown(socket.SHUT_WR)
        self.receive(back)
        self.assertEqual(self.records, [])
        linger = struct.pack("ii", 1, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.close()
        self.reactor.settle()
        self.assertEqual(self.record().end, "client-lost")
