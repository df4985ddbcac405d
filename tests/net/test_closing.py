"""Tests for L{portmux.net.closing}: real sockets on a turned reactor."""

from __future__ import annotations

import socket
import ssl

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory

from portmux.net.closing import (
    finish_writing,
    is_reset,
    sends_on,
    under_way,
    unread,
    unsent,
)
from tests.net.test_stream import LARGE, Source, StreamCase
from tests.net.tls import Client, ServerContexts, make_certificate


class OnTheWayTests(StreamCase):
    def test_unsent(self) -> None:
        """What was given, less what the peer can still get."""
        self.assertEqual(unsent(self.stream), 0)
        self.stream.write(LARGE)
        self.stream.write(b"end")
        got = len(self.peer.recv(1 << 20))
        self.reactor.settle()
        self.stream.abortConnection()
        self.reactor.settle()
        got += len(self.received())
        self.assertEqual(got + unsent(self.stream), len(LARGE) + 3)
        self.assertEqual(self.kept.lost, [ConnectionAborted])

    def test_under_way(self) -> None:
        """What was given, less what the peer has read."""
        self.assertEqual(under_way(self.stream), 0)
        self.stream.write(LARGE)
        before = under_way(self.stream)
        self.assertGreater(before, unsent(self.stream))
        self.received()
        self.assertEqual(under_way(self.stream), 0)

    def test_unread(self) -> None:
        """What the peer has sent."""
        self.assertEqual(unread(self.sock.fileno()), 0)
        self.peer.send(b"abc")
        self.assertEqual(unread(self.sock.fileno()), 3)

    def test_sends_on(self) -> None:
        """The peer reads the end whether it has sent something or not."""
        self.assertFalse(sends_on(self.stream))
        self.assertTrue(self.is_ended())
        self.peer.send(b"abc")
        self.assertTrue(sends_on(self.stream))

    def test_is_reset(self) -> None:
        """By a peer that has ended, and was sent what it has not read; told once."""
        self.assertFalse(is_reset(self.stream))
        self.peer.shutdown(socket.SHUT_WR)
        self.assertFalse(is_reset(self.stream))
        self.sock.send(b"abc")
        self.peer.close()
        self.assertTrue(is_reset(self.stream))
        self.assertFalse(is_reset(self.stream))


class TLSTests(StreamCase):
    """L{finish_writing} on real TLS transports of Twisted."""

    def setUp(self) -> None:
        super().setUp()
        path = self.mktemp()
        make_certificate(path)
        self.contexts = ServerContexts(path)

    def start(self) -> Client:
        """Start TLS on our stream."""
        self.stream.startTLS(self.contexts)
        self.stream.resumeProducing()
        return Client(self.reactor, self.peer)

    def wrap(self) -> Client:
        """Have a transport of Twisted's own, with TLS from the start."""
        factory = Factory.forProtocol(lambda: self.kept)
        wrapping = TLSMemoryBIOFactory(self.contexts, False, factory)
        number = self.sock.fileno()
        self.reactor.adoptStreamConnection(number, socket.AF_UNIX, wrapping)
        self.stream.loseConnection()
        self.kept.lost.clear()
        return Client(self.reactor, self.peer)

    def half_close(self, client: Client) -> None:
        """The client reads the end, not a cut; its own bytes still arrive."""
        transport = self.kept.transport
        transport.write(b"abc")
        finish_writing(transport)
        self.assertEqual(client.receive(), (b"abc", True))
        client.send(b"def")
        client.send(b"ghi")
        self.assertEqual((self.kept.data, self.kept.lost), (b"defghi", []))
        raw = client.socket.unwrap()
        self.reactor.settle()
        raw.close()
        self.assertEqual(self.kept.lost, [ConnectionDone])

    def half_close_with_a_producer(self, client: Client) -> None:
        """The last octets go first, however slow the client is."""
        transport, source = self.kept.transport, Source()
        transport.registerProducer(source, True)
        transport.write(LARGE)
        self.assertEqual(source.told, ["pause"])
        finish_writing(transport)
        client.send(b"def")
        data, ended = client.receive()
        self.assertTrue(data == LARGE and ended)
        client.send(b"ghi")
        self.assertEqual((self.kept.data, self.kept.lost), (b"defghi", []))
        client.socket.close()
        self.reactor.settle()
        self.assertEqual(len(self.kept.lost), 1)

    def test_started(self) -> None:
        self.half_close(self.start())

    def test_started_with_a_producer(self) -> None:
        self.half_close_with_a_producer(self.start())

    def test_wrapped(self) -> None:
        self.half_close(self.wrap())

    def test_wrapped_with_a_producer(self) -> None:
        self.half_close_with_a_producer(self.wrap())

    def test_is_reset(self) -> None:
        """It is not asked of TLS, where to end is to end both directions."""
        client = self.start()
        self.kept.transport.write(b"abc")
        self.reactor.settle()
        client.socket.close()
        self.assertFalse(is_reset(self.kept.transport))

    def test_what_it_is_for(self) -> None:
        """Twisted's own half-close cuts the stream off."""
        client = self.start()
        self.stream.loseWriteConnection()
        self.assertRaises(ssl.SSLError, client.receive)
        client.socket.close()
