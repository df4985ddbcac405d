"""Tests for L{portmux.net.relay}: what passes between two sockets, to the octet."""

from __future__ import annotations

import array
import fcntl
import random
import socket
import termios

from twisted.internet.interfaces import IHalfCloseableProtocol
from zope.interface.verify import verifyClass

from portmux.net.front import Front
from portmux.net.relay import Back, Pipe
from portmux.net.stream import RECEIVE
from tests.net.stage import StageCase, forwarding, policy

DATA = random.Random(1).randbytes(8 << 20)


def waiting(sock: socket.socket) -> int:
    """@return: octets that a socket holds for its reader."""
    count = array.array("i", [0])
    fcntl.ioctl(sock.fileno(), termios.FIONREAD, count)
    return count[0]


class RelayTests(StageCase):
    def setUp(self) -> None:
        super().setUp()
        address, listening = self.backend()
        self.client = self.accept(policy([(b"", forwarding(address))]), DATA[:1])
        self.back = self.accepted(listening)
        self.reactor.settle()
        self.assertEqual(self.back.recv(1), DATA[:1])

    def pump(self, source: socket.socket, sink: socket.socket, data: bytes) -> bytes:
        """Send all of it while the other side reads. @return: what that got."""
        sent, got = 0, b""
        while sent < len(data):
            try:
                sent += source.send(data[sent : sent + RECEIVE])
            except BlockingIOError:
                got += self.receive(sink)
        return got + self.receive(sink)

    def fill(self, source: socket.socket) -> int:
        """Send until nobody takes more. @return: how much that was."""
        sent = 0
        while True:
            self.reactor.settle()
            try:
                sent += source.send(bytes(RECEIVE))
            except BlockingIOError:
                return sent

    def test_half_closeable(self) -> None:
        """Twisted tells the backend's side of each half."""
        self.assertTrue(verifyClass(IHalfCloseableProtocol, Back))

    def test_sink(self) -> None:
        """The client's bytes go to the backend; its end is the session's affair."""
        (front,) = self.engine.live
        assert isinstance(front, Front)
        self.assertIsInstance(front.sink, Pipe)

    def test_both_ways(self) -> None:
        """Each octet once, in order, counted, with half-closes one after the other."""
        self.assertTrue(self.pump(self.client, self.back, DATA[1:]) == DATA[1:])
        self.client.shutdown(socket.SHUT_WR)
        self.assertTrue(self.is_ended(self.back))
        self.assertTrue(self.pump(self.back, self.client, DATA) == DATA)
        self.back.close()
        self.assertTrue(self.is_ended(self.client))
        record = self.record()
        self.assertEqual((record.sent, record.received), (len(DATA), len(DATA)))
        self.assertEqual(record.end, "done")

    def test_no_more_than_a_buffer_is_held(self) -> None:
        """Of what a reader does not take, either way."""
        for source in (self.client, self.back):
            self.fill(source)
        (front,) = self.engine.live
        assert isinstance(front, Front) and front._back is not None
        for stream in (front.transport, front._back.transport):
            held = len(stream.dataBuffer) - stream.offset + stream._tempDataLen
            self.assertLess(held, 3 * RECEIVE)
            self.assertGreater(held, 0)

    def test_lost_backend(self) -> None:
        """Bytes that it never got are not counted, and the client is reset."""
        self.fill(self.client)
        got = 1 + len(self.back.recv(1000)) + waiting(self.back)
        self.back.close()
        record = self.record()
        self.assertEqual((record.sent, record.end), (got, "backend-lost"))
        self.assertRaises(ConnectionError, self.client.send, b"x")

    def test_lost_client(self) -> None:
        """The same the other way."""
        self.fill(self.back)
        got = len(self.client.recv(1000)) + waiting(self.client)
        self.client.close()
        record = self.record()
        self.assertEqual((record.received, record.end), (got, "client-lost"))
        self.assertRaises(ConnectionError, self.back.send, b"x")
