"""Tests for L{portmux.net.client}: what an action sees of a connection."""

from __future__ import annotations

import socket

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from portmux.core.address import Unix
from portmux.core.plan import Closing
from portmux.net.client import Client
from portmux.net.front import Front
from portmux.net.life import Ending
from tests.net.stage import StageCase, policy, serving


@implementer(IPushProducer)
class Kept:
    """
    A sink, and a producer, that remembers what it was told.

    @ivar over: comes when it is lost.
    """

    def __init__(self) -> None:
        self.told: list[bytes | str] = []
        self.over = Ending()

    def received(self, data: bytes) -> None:
        self.told.append(data)

    def ended(self) -> None:
        self.told.append("ended")

    def lost(self) -> None:
        self.told.append("lost")
        self.over.come()

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


class ServingTests(StageCase):
    """A coroutine has the connection."""

    def setUp(self) -> None:
        super().setUp()
        self.sink = Kept()
        self.policy = policy([(b"a", serving(self.serve))])
        self.client: Client | None = None

    async def serve(self, client: Client) -> None:
        self.client = client
        client.attach(self.sink)
        await self.sink.over.wait()

    def test_held_bytes_first(self) -> None:
        """The sniffed bytes, then what follows, then the end."""
        client = self.accept(self.policy, b"abc")
        self.assertEqual(self.sink.told, [b"abc"])
        client.send(b"d")
        client.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.assertEqual(self.sink.told, [b"abc", b"d", "ended"])
        self.sink.over.come()
        record = self.record()
        self.assertEqual((record.sent, record.backend), (4, "test"))

    def test_one_owner(self) -> None:
        """Bytes that were given away are not kept."""
        self.accept(self.policy, b"abc")
        assert self.client is not None
        self.assertEqual(self.client.session.held, b"")

    def test_paused_until_attached(self) -> None:
        """Nothing is read between the decision and the sink."""
        waiting = Ending()

        async def serve(client: Client) -> None:
            await waiting.wait()
            await self.serve(client)

        client = self.accept(policy([(b"abc", serving(serve))]))
        for part in (b"ab", b"c", b"def"):
            client.send(part)
            self.reactor.settle()
        waiting.come()
        self.assertEqual(self.sink.told, [b"abc"])
        self.reactor.settle()
        self.assertEqual(self.sink.told, [b"abc", b"def"])

    def test_late_bytes_and_end(self) -> None:
        """A transport's that had them in hand when it was paused, such as TLS."""
        waiting = Ending()

        async def serve(client: Client) -> None:
            await waiting.wait()
            await self.serve(client)

        self.accept(policy([(b"a", serving(serve))]), b"abc")
        (front,) = self.engine.live
        assert isinstance(front, Front)
        front.dataReceived(b"def")
        front.readConnectionLost()
        waiting.come()
        self.assertEqual(self.sink.told, [b"abcdef", "ended"])

    def test_end_before_the_decision(self) -> None:
        """It is told behind the bytes."""
        wanted = policy([(b"abc", Closing())], fallback=serving(self.serve))
        client = self.accept(wanted, b"ab")
        client.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.assertEqual(self.sink.told, [b"ab", "ended"])

    def test_half_close_timeout(self) -> None:
        """Also of an action that was the first to finish."""
        wanted = policy([(b"a", serving(self.serve))], half_close=5.0)
        self.accept(wanted, b"abc")
        assert self.client is not None
        self.reactor.advance(60.0)
        self.client.finish()
        self.reactor.advance(4.9)
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        self.assertEqual(self.record().end, "half-close-timeout")

    def test_ended_is_told_once(self) -> None:
        """However often reading is taken up again, and whoever finished first."""
        client = self.accept(self.policy, b"abc")
        assert self.client is not None
        self.client.finish()
        client.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.client.transport.resumeProducing()
        self.reactor.settle()
        self.assertEqual(self.sink.told, [b"abc", "ended"])

    def test_one_record_after_the_coroutine(self) -> None:
        """The coroutine returns, then the connection closes: one record."""
        client = self.accept(self.policy, b"abc")
        self.sink.over.come()
        self.reactor.settle()
        self.assertEqual([one.end for one in self.records], ["done"])
        self.assertTrue(self.is_ended(client))

    def test_one_record_after_the_client(self) -> None:
        """The connection is lost, then the coroutine returns: one record as well."""
        client = self.accept(self.policy, b"abc")
        self.stop_all()
        self.assertEqual(self.record().end, "stopped")
        self.assertTrue(self.is_ended(client))

    def test_writing_after_the_end_counts_nothing(self) -> None:
        """What can reach nobody was not passed on."""
        waiting = Ending()

        async def serve(client: Client) -> None:
            client.write(b"12345")
            await waiting.wait()
            client.write(b"678")

        self.accept(policy([(b"a", serving(serve))]), b"abc")
        self.stop_all()
        waiting.come()
        self.assertEqual(self.record().received, 5)

    def test_failing_coroutine(self) -> None:
        """It is logged once, and the record says so."""

        async def serve(_: Client) -> None:
            raise RuntimeError("mistake")

        client = self.accept(policy([(b"a", serving(serve))]), b"abc")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.record().end, "error")
        self.assertTrue(self.is_ended(client))

    def test_conclusion(self) -> None:
        """The first word of an action stands."""

        async def serve(client: Client) -> None:
            client.conclude("failed", "for a reason")
            client.conclude("done")

        self.accept(policy([(b"a", serving(serve))]), b"abc")
        record = self.record()
        self.assertEqual((record.end, record.detail), ("failed", "for a reason"))

    def test_idle(self) -> None:
        """The session's times hold for actions too."""
        self.accept(policy([(b"a", serving(self.serve))], idle=10.0), b"abc")
        self.reactor.advance(10.1)
        self.assertEqual(self.record().end, "idle-timeout")
        self.assertEqual(self.sink.told, [b"abc", "lost"])

    def test_idle_soon_after_an_answer(self) -> None:
        """The client may read it to the end, the action is told that it is over."""
        client = self.accept(policy([(b"a", serving(self.serve))], idle=3.0), b"abc")
        assert self.client is not None
        self.client.write(b"answer")
        self.reactor.advance(3.1)
        self.assertEqual(self.sink.told, [b"abc", "lost"])
        self.assertEqual(self.receive(client), b"answer")
        self.assertEqual(self.records, [])
        client.close()
        self.assertEqual(self.record().end, "idle-timeout")

    def test_attach_after_the_end(self) -> None:
        """What is left of the client is nobody's any more; nor is it written to."""
        waiting = Ending()

        async def serve(client: Client) -> None:
            client.write(b"answer")
            await waiting.wait()
            client.attach(self.sink)
            client.write(b"never")

        client = self.accept(policy([(b"a", serving(serve))], idle=3.0), b"abc")
        self.reactor.advance(3.1)
        waiting.come()
        self.assertEqual(self.sink.told, ["lost"])
        self.assertEqual(self.receive(client), b"answer")
        client.close()
        self.assertEqual(self.record().received, 6)

    def test_attach_after_the_client_has_gone(self) -> None:
        """A sink that comes too late is told at once."""
        waiting = Ending()

        async def serve(client: Client) -> None:
            await waiting.wait()
            client.attach(self.sink)
            await self.sink.over.wait()

        self.accept(policy([(b"a", serving(serve))]), b"abc")
        self.stop_all()
        self.reactor.settle()
        self.assertEqual(self.records, [])
        waiting.come()
        self.assertEqual(self.sink.told, ["lost"])
        self.assertEqual(self.record().end, "stopped")

    def test_cancelled(self) -> None:
        """Whoever stops the engine ends its actions."""
        self.accept(self.policy, b"abc")
        self.engine.tasks.cancel()
        self.assertEqual(self.record().end, "stopped")
