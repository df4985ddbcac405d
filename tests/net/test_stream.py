"""Tests for L{portmux.net.stream}: real sockets on a turned reactor."""

from __future__ import annotations

import random
import socket

from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IPullProducer,
    IPushProducer,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from portmux.net.closing import finish_writing
from portmux.net.stream import IStream, Stream
from tests.net.turned import Turned

LARGE = random.Random(1).randbytes(4 << 20)
"""More than the kernel holds for us."""


@implementer(IHalfCloseableProtocol)
class Kept(Protocol):
    """Remembers what it was told."""

    transport: Stream

    def __init__(self) -> None:
        self.data = b""
        self.ends = 0
        self.lost: list[object] = []

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def readConnectionLost(self) -> None:
        self.ends += 1

    def writeConnectionLost(self) -> None:
        raise AssertionError("nobody has to be told")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.append(type(reason.value))


@implementer(IPushProducer)
class Source:
    """A producer that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


class StreamCase(SynchronousTestCase):
    """One stream and its peer."""

    def setUp(self) -> None:
        self.reactor = Turned()
        self.peer, self.sock = socket.socketpair()
        for sock in (self.peer, self.sock):
            sock.setblocking(False)
        self.kept = Kept()
        self.stream = Stream(self.sock, self.kept, self.reactor)
        self.kept.makeConnection(self.stream)

    def tearDown(self) -> None:
        self.peer.close()
        if self.stream.connected:
            self.stream.abortConnection()
        self.reactor.settle()
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")

    def received(self) -> bytes:
        """@return: all that the peer gets."""
        data = b""
        while True:
            self.reactor.settle()
            try:
                more = self.peer.recv(1 << 20)
            except BlockingIOError:
                return data
            if not more:
                return data
            data += more

    def is_ended(self) -> bool:
        """@return: whether the peer reads the end next."""
        self.reactor.settle()
        try:
            return self.peer.recv(1) == b""
        except BlockingIOError:
            return False


class ReadTests(StreamCase):
    def test_interfaces(self) -> None:
        """A transport, a producer, and a consumer."""
        for interface in (IPushProducer, IConsumer, IStream, ITCPTransport):
            self.assertTrue(verifyObject(interface, self.stream))

    def test_not_before_it_is_told(self) -> None:
        """Bytes wait until somebody resumes."""
        self.peer.send(b"abc")
        self.reactor.settle()
        self.assertEqual(self.kept.data, b"")
        self.stream.resumeProducing()
        self.reactor.settle()
        self.assertEqual(self.kept.data, b"abc")
        self.stream.pauseProducing()
        self.peer.send(b"def")
        self.reactor.settle()
        self.assertEqual(self.kept.data, b"abc")

    def test_take(self) -> None:
        """What is there now; nothing; the end."""
        self.assertIsNone(self.stream.take())
        self.peer.send(b"abc")
        self.assertEqual(self.stream.take(), b"abc")
        self.peer.shutdown(socket.SHUT_WR)
        self.assertEqual(self.stream.take(), b"")
        self.assertEqual(self.kept.lost, [])

    def test_take_from_the_lost(self) -> None:
        """The protocol is told so."""
        self.stream.write(b"never read")
        self.peer.close()  # a unix socket is reset by that
        self.assertIsNone(self.stream.take())
        self.assertEqual(self.kept.lost, [ConnectionLost])

    def test_end(self) -> None:
        """It is told, again after each resumption, and nothing is closed."""
        self.stream.resumeProducing()
        self.peer.send(b"abc")
        self.peer.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.assertEqual((self.kept.data, self.kept.ends), (b"abc", 1))
        self.stream.resumeProducing()
        self.reactor.settle()
        self.assertEqual(self.kept.ends, 2)
        self.stream.write(b"def")
        self.assertEqual(self.received(), b"def")
        self.assertEqual(self.kept.lost, [])

    def test_lost(self) -> None:
        """A reset ends both directions."""
        self.stream.resumeProducing()
        self.stream.write(b"never read")
        self.peer.close()
        self.reactor.settle()
        self.assertEqual(self.kept.lost, [ConnectionLost])

    def test_addresses(self) -> None:
        """As Twisted tells them."""
        self.assertEqual(self.stream.getHost(), UNIXAddress(None))
        self.assertEqual(self.stream.getPeer(), UNIXAddress(None))


class WriteTests(StreamCase):
    def test_at_once(self) -> None:
        """The peer has it before the reactor turns."""
        self.stream.write(b"abc")
        self.assertEqual(self.peer.recv(10), b"abc")
        self.assertEqual(self.reactor.getWriters(), [])

    def test_all_of_it_in_order(self) -> None:
        """What has no room goes later, and what comes behind it stays behind."""
        self.stream.write(LARGE)
        self.stream.write(b"end")
        self.assertEqual(self.received(), LARGE + b"end")
        self.assertEqual(self.reactor.getWriters(), [])

    def test_order_in_the_middle(self) -> None:
        """Nothing overtakes what is being written."""
        self.stream.write(LARGE)
        first = self.peer.recv(100_000)
        self.reactor.settle()
        second = self.peer.recv(100_000)
        self.stream.write(b"end")
        self.assertTrue(first + second + self.received() == LARGE + b"end")

    def test_at_once_with_a_producer(self) -> None:
        """Whoever pushes is written as fast as anybody."""
        self.stream.registerProducer(Source(), True)
        self.stream.write(b"abc")
        self.assertEqual(self.peer.recv(10), b"abc")

    def test_pauses_its_producer(self) -> None:
        """While more waits than the buffer should hold."""
        source = Source()
        self.stream.registerProducer(source, True)
        self.stream.write(b"abc")
        self.assertEqual(source.told, [])
        self.stream.write(LARGE)
        self.assertEqual(source.told, ["pause"])
        self.received()
        self.assertEqual(source.told, ["pause", "resume"])

    def test_pull_producer(self) -> None:
        """It is asked again whenever what it gave has been sent."""
        stream, pieces = self.stream, [b"abc", b"def", b"ghi"]

        @implementer(IPullProducer)
        class Pieces:
            def resumeProducing(self) -> None:
                stream.write(pieces.pop(0))
                if not pieces:
                    stream.unregisterProducer()

            def stopProducing(self) -> None:
                pieces.clear()

        stream.registerProducer(Pieces(), False)
        self.assertEqual(self.received(), b"abcdefghi")

    def test_to_the_lost(self) -> None:
        """The reactor tells it, not the writer."""
        self.peer.close()
        self.stream.write(b"abc")
        self.assertEqual(self.kept.lost, [])
        self.reactor.settle()
        self.assertEqual(self.kept.lost, [ConnectionLost])
        self.stream.write(b"def")


class EndTests(StreamCase):
    def test_half_close(self) -> None:
        """At once; the other direction goes on; no byte follows."""
        self.stream.resumeProducing()
        self.stream.write(b"abc")
        self.stream.loseWriteConnection()
        self.stream.write(b"never")
        self.assertEqual(self.peer.recv(10), b"abc")
        self.assertEqual(self.peer.recv(10), b"")
        self.peer.send(b"def")
        self.reactor.settle()
        self.assertEqual((self.kept.data, self.kept.lost), (b"def", []))

    def test_half_close_after_what_waits(self) -> None:
        """The end stands behind the last octet."""
        self.stream.resumeProducing()
        self.stream.write(LARGE)
        finish_writing(self.stream)
        self.assertEqual(self.received(), LARGE)
        self.assertTrue(self.is_ended())
        self.peer.send(b"def")
        self.reactor.settle()
        self.assertEqual(self.kept.data, b"def")

    def test_half_close_to_the_lost(self) -> None:
        """It is too late, and no error."""
        self.peer.close()
        finish_writing(self.stream)
        self.stream.resumeProducing()
        self.reactor.settle()

    def test_close(self) -> None:
        """At once, in order, and once."""
        self.stream.resumeProducing()
        self.stream.loseConnection()
        self.assertEqual(self.kept.lost, [ConnectionDone])
        self.assertEqual(self.peer.recv(10), b"")
        self.stream.loseConnection()
        self.stream.write(b"never")
        self.stream.loseWriteConnection()
        self.assertEqual(self.kept.lost, [ConnectionDone])

    def test_close_after_what_waits(self) -> None:
        """The end stands behind the last octet."""
        self.stream.write(LARGE)
        self.close_and_receive()

    def test_close_in_the_middle(self) -> None:
        """Also when a part of it has gone already."""
        self.stream.write(LARGE)
        first = self.peer.recv(100_000)
        self.reactor.settle()
        self.stream.loseConnection()
        self.assertEqual(self.kept.lost, [])
        self.assertTrue(first + self.received() == LARGE)

    def test_close_after_a_half_close(self) -> None:
        """Also when that had to wait itself."""
        self.stream.write(LARGE)
        self.stream.loseWriteConnection()
        self.close_and_receive()

    def close_and_receive(self) -> None:
        self.stream.loseConnection()
        self.assertEqual(self.kept.lost, [])
        self.assertEqual(self.received(), LARGE)
        self.assertTrue(self.is_ended())
        self.assertEqual(self.kept.lost, [ConnectionDone])

    def test_close_while_reading(self) -> None:
        """Whoever gets bytes may end the connection under the reader."""
        kept, stream = self.kept, self.stream

        class Ending(Kept):
            def dataReceived(self, data: bytes) -> None:
                stream.write(b"bye")
                stream.loseConnection()
                kept.data += data

        stream.protocol = Ending()
        stream.resumeProducing()
        self.peer.send(b"abc")
        self.assertEqual(self.received(), b"bye")
        self.assertTrue(self.is_ended())
        self.assertEqual(kept.data, b"abc")
        self.assertFalse(stream.connected)

    def test_abort(self) -> None:
        """What waits is dropped."""
        self.stream.write(LARGE)
        self.stream.abortConnection()
        self.reactor.settle()
        self.assertEqual(self.kept.lost, [ConnectionAborted])
        self.assertLess(len(self.received()), len(LARGE))

    def test_producer_survives(self) -> None:
        """Being a producer, a stream is not ended by its consumer's end."""
        self.stream.stopProducing()
        self.stream.write(b"abc")
        self.assertEqual(self.received(), b"abc")
