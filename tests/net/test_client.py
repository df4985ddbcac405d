"""Tests for L{portmux.net.client}: what an action sees of a connection."""

from __future__ import annotations

import socket

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from portmux.core.address import Unix
from portmux.net.client import Client
from portmux.net.life import Ending
from tests.net.stage import StageCase, policy, serving


@implementer(IPushProducer)
class Kept:
    """A sink, and a producer, that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def received(self, data: bytes) -> None:
        self.told.append(data)

    def ended(self) -> None:
        self.told.append("ended")

    def lost(self) -> None:
        self.told.append("lost")

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


class ClientTests(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.kept = Kept()
        self.over = Ending()
        self.got: list[Client] = []
        self.peer = self.accept(policy([(b"a", serving(self.serve))]), b"abc")
        (self.client,) = self.got

    def tearDown(self) -> None:
        self.over.come()
        super().tearDown()

    async def serve(self, client: Client) -> None:
        self.got.append(client)
        await self.over.wait()

    def test_facts(self) -> None:
        """Who it is, and the reactor that it lives on."""
        self.assertEqual(self.client.session.source, Unix(""))
        self.assertIs(self.client.reactor, self.reactor)

    def test_paused_until_attached(self) -> None:
        """Nothing is read before somebody wants it, and nothing is lost."""
        self.peer.sendall(b"def")
        self.reactor.settle()
        self.client.attach(self.kept)
        self.assertEqual(self.kept.told, [b"abc"])
        self.reactor.settle()
        self.assertEqual(self.kept.told, [b"abc", b"def"])

    def test_end_while_paused(self) -> None:
        """It comes behind the bytes."""
        self.peer.sendall(b"def")
        self.peer.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.client.attach(self.kept)
        self.reactor.settle()
        self.assertEqual(self.kept.told, [b"abc", b"def", "ended"])

    def test_write(self) -> None:
        """It is counted, and keeps the session from being idle."""
        self.reactor.advance(5.0)
        self.client.write(b"hello")
        self.assertEqual(self.peer.recv(10), b"hello")
        session = self.client.session
        self.assertEqual((session.received, session.touched), (5, self.reactor.now))

    def test_backpressure_of_the_client(self) -> None:
        """Whoever writes is told to wait by the transport."""
        self.client.transport.registerProducer(self.kept, True)
        self.client.write(bytes(4 << 20))
        self.assertEqual(self.kept.told, ["pause"])
        self.assertEqual(len(self.receive(self.peer)), 4 << 20)
        self.assertEqual(self.kept.told, ["pause", "resume"])

    def test_backpressure_of_the_action(self) -> None:
        """The transport can be paused like any producer."""
        self.client.attach(self.kept)
        self.client.transport.pauseProducing()
        self.peer.sendall(b"def")
        self.reactor.settle()
        self.assertEqual(self.kept.told, [b"abc"])
        self.client.transport.resumeProducing()
        self.reactor.settle()
        self.assertEqual(self.kept.told, [b"abc", b"def"])

    def test_finish(self) -> None:
        """The client reads the end, and is still heard."""
        self.client.write(b"hello")
        self.client.finish()
        self.client.finish()
        self.client.attach(self.kept)
        self.assertEqual(self.receive(self.peer), b"hello")
        self.assertTrue(self.is_ended(self.peer))
        self.peer.sendall(b"def")
        self.reactor.settle()
        self.assertEqual(self.kept.told, [b"abc", b"def"])

    def test_lost(self) -> None:
        """It is told once, as the last, and the rest is in vain."""
        self.client.attach(self.kept)
        self.stop_all()
        self.client.finish()
        self.client.write(b"never")
        self.assertEqual(self.kept.told, [b"abc", "lost"])
        self.over.come()
        self.assertEqual(self.record().received, 0)

    def test_conclude(self) -> None:
        """How it ended, in the action's words."""
        self.client.conclude("failed", "for a reason")
        self.over.come()
        record = self.record()
        self.assertEqual((record.end, record.detail), ("failed", "for a reason"))
