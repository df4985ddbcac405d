"""Tests for L{portmux.net.front}: one client's connection, from accept to end."""

from __future__ import annotations

import gc
import random
import socket
from collections.abc import Sequence

from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer
from zope.interface.verify import verifyObject

from portmux.core.address import Host, Unix
from portmux.core.head import Head, Reason, Verdict
from portmux.core.limits import Count, Gate, Limits
from portmux.core.match.prefix import Prefix
from portmux.core.plan import Closing
from portmux.core.policy import Policy
from portmux.core.session import HAD_ENDED, LINGER, Session
from portmux.core.sniff import Route, Table, Way
from portmux.net.client import Client
from portmux.net.closing import unsent
from portmux.net.front import Front
from portmux.net.live import Live
from tests.net.stage import LOCAL, StageCase, forwarding, policy, serving

CLOSE = Closing()

MORE = 200_000
"""Octets, more than an engine reads at a time."""


@implementer(IHostnameResolver)
class Speechless:
    """A resolver that does not answer in time."""

    def __init__(self) -> None:
        self._receivers: list[IResolutionReceiver] = []

    def complete(self) -> None:
        """Answer at last that there is no such name."""
        for receiver in self._receivers:
            receiver.resolutionComplete()

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self._receivers.append(resolutionReceiver)
        return None  # type: ignore[return-value] # our receiver does not look at it


class Broken:
    """A matcher with a mistake in it, or in its explanation."""

    def __init__(self, verdict: Verdict | None = None) -> None:
        self._verdict = verdict

    def match(self, head: Head) -> Verdict:
        if self._verdict is None:
            raise RuntimeError("broken matcher")
        return self._verdict if head.data else Verdict.MORE

    def why(self, head: Head) -> Reason:
        raise RuntimeError("broken explanation")

    def first(self) -> frozenset[int]:
        return frozenset(b"b")


class SniffTests(StageCase):
    """Until a decision."""

    def test_half_closeable(self) -> None:
        """Twisted tells such a protocol of each half."""
        front = Front(self.engine, Session(policy(), Unix(""), LOCAL, 0.0))
        self.assertTrue(verifyObject(IHalfCloseableProtocol, front))

    def test_first_bytes_are_there_already(self) -> None:
        """They decide at once, before the reactor has turned."""
        client = self.accept(policy([(b"a", CLOSE)]), b"abc")
        self.assertEqual([one.route for one in self.records], ["a"])
        self.assertTrue(self.is_ended(client))

    def test_first_bytes_come_later(self) -> None:
        """However they are cut, the same route has them."""
        client = self.accept(policy([(b"abc", CLOSE), (b"ab", CLOSE)]))
        for octet in b"abc":
            self.reactor.settle()
            self.assertEqual(self.records, [])
            client.send(bytes([octet]))
        self.assertEqual(self.record().route, "abc")

    def test_no_route(self) -> None:
        """Bytes that nothing fits go the way of the fallback, else are closed."""
        self.accept(policy([(b"a", CLOSE)]), b"x")
        self.accept(policy([(b"a", CLOSE)], fallback=CLOSE), b"x")
        self.assertEqual(
            [(one.route, one.end) for one in self.records],
            [("close", "no-route"), ("fallback", "closed")],
        )

    def test_end_before_any_byte(self) -> None:
        """A client that comes and goes gets its record, and no backend hears of it."""
        address, backend = self.backend()
        client = self.accept(policy([(b"", forwarding(address))]))
        client.close()
        record = self.record()
        self.assertEqual((record.cause, record.backend), ("eof", "close"))
        self.assertRaises(BlockingIOError, backend.accept)

    def test_end_before_accept(self) -> None:
        """The same, when it was all over before we came."""
        theirs, ours = socket.socketpair()
        theirs.close()
        self.engine.accept(ours, Unix(""), LOCAL, policy([(b"a", CLOSE)]))
        self.assertEqual(self.record().cause, "eof")

    def test_end_after_some_bytes(self) -> None:
        """What said MORE counts as NO."""
        client = self.accept(policy([(b"abc", CLOSE)], fallback=CLOSE), b"ab")
        client.shutdown(socket.SHUT_WR)
        record = self.record()
        self.assertEqual((record.route, record.cause), ("fallback", "eof"))

    def test_silence(self) -> None:
        """Nobody waits longer than that for a first byte; a byte ends it."""
        wanted = policy(
            [(b"ab", CLOSE)], silent=CLOSE, undecided=CLOSE, timeout=3.0, silence=1.0
        )
        self.accept(wanted)
        self.accept(wanted, b"a")
        self.reactor.advance(0.9)
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        self.assertEqual([one.route for one in self.records], ["silent"])
        self.reactor.advance(1.7)
        self.assertEqual(len(self.records), 1)
        self.reactor.advance(0.3)
        found = [(one.route, one.cause) for one in self.records]
        self.assertEqual(found, [("silent", "silent"), ("undecided", "timeout")])

    def test_limit_of_bytes(self) -> None:
        """Enough was looked at: the fallback has them."""
        wanted = policy([(b"abcdef", CLOSE)], fallback=CLOSE, limit=4)
        self.accept(wanted, b"abcd")
        self.assertEqual(self.record().cause, "limit")

    def test_refused(self) -> None:
        """Above a limit a client is closed, and recorded as refused."""
        wanted = policy([(b"a", CLOSE)], limits=Limits(connections=1))
        first = self.accept(wanted)
        second = self.accept(wanted, b"abc")
        self.assertEqual([one.end for one in self.records], ["limit-connections"])
        self.assertRaises((ConnectionResetError, BrokenPipeError), second.send, b"x")
        first.send(b"a")
        self.reactor.settle()
        self.assertEqual(self.records[1].end, "closed")
        self.accept(wanted, b"abc")
        self.assertEqual(self.records[2].end, "closed")

    def test_broken_matcher(self) -> None:
        """It costs the connection, with a record; whoever accepts goes on."""
        gate = Gate(Limits(), Count())
        wanted = Policy("front", Table([Route(Broken(), Way("a", CLOSE))]), gate)
        at_once = self.accept(wanted, b"b")
        later = self.accept(wanted)
        later.send(b"b")
        self.reactor.settle()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
        self.assertEqual([one.end for one in self.records], ["error", "error"])
        self.assertEqual(gate.live, 0)
        self.assertTrue(self.is_ended(at_once) and self.is_ended(later))

    def test_broken_at_a_deadline(self) -> None:
        """The same, when it is time that decides; others' deadlines hold."""
        routes = [
            Route(Prefix((b"b" * 10,)), Way("long", CLOSE)),
            Route(Broken(Verdict.YES), Way("broken", CLOSE)),
        ]
        wanted = Policy("front", Table(routes), Gate(Limits(), Count()), timeout=1.0)
        for first in (b"b", b"b", b""):
            self.accept(wanted, first)
        self.reactor.advance(1.1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
        ends = sorted(one.end for one in self.records)
        self.assertEqual(ends, ["error", "error", "no-route"])

    def test_stop(self) -> None:
        """An operator's reason ends a session in any phase."""
        client = self.accept(policy([(b"a", CLOSE)]))
        self.stop_all()
        self.assertEqual(self.record().end, "stopped")
        self.assertTrue(self.is_ended(client))


class DialTests(StageCase):
    """From a decision to a backend."""

    def test_first_bytes_are_replayed_once(self) -> None:
        """The backend gets each octet that was sniffed, and no other."""
        address, listening = self.backend()
        client = self.accept(policy([(b"abc", forwarding(address))]))
        client.send(b"ab")
        self.reactor.settle()
        client.send(b"cd")
        backend = self.accepted(listening)
        client.send(b"ef")
        self.assertEqual(self.receive(backend), b"abcdef")

    def test_more_than_a_backend_takes_at_once(self) -> None:
        """What is left of the first bytes goes before all that follows."""
        address, listening = self.backend()
        first = random.Random(1).randbytes(600_000)
        client = self.accept(policy([(first, forwarding(address))], limit=1 << 20))
        for start in range(0, len(first), 50_000):
            client.sendall(first[start : start + 50_000])
            self.reactor.settle()
        client.sendall(b"end")
        self.assertTrue(self.receive(self.accepted(listening)) == first + b"end")

    def test_nothing_is_read_while_connecting(self) -> None:
        """A client waits like its backend does."""
        self.reactor.installNameResolver(Speechless())
        address, listening = self.backend()
        plan = forwarding(Host("slow.test", 1), address, timeout=2.0)
        client = self.accept(policy([(b"abc", plan)]))
        client.send(b"ab")
        self.reactor.settle()
        client.send(b"c")
        self.reactor.settle()
        sent = 0
        with self.assertRaises(BlockingIOError):
            while True:
                sent += client.send(bytes(1 << 16))
                self.reactor.settle()
        self.assertLess(sent, 1 << 20)
        self.reactor.advance(2.1)
        got = self.receive(self.accepted(listening))
        self.assertEqual(got, b"abc" + bytes(sent))

    def test_more_than_fits_at_once(self) -> None:
        """The first bytes need not go out in one piece."""
        address, listening = self.backend()
        first = b"a" * 60_000
        client = self.accept(
            policy([(b"a" * 60_000, forwarding(address))], limit=1 << 20)
        )
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.assertEqual(client.send(first), len(first))
        self.assertEqual(self.receive(self.accepted(listening)), first)

    def test_targets_in_order(self) -> None:
        """Each is tried once; the record says why the others failed."""
        good, listening = self.backend("good")
        gone = Unix(self.path("gone"))
        refusing, deaf = self.backend("refusing")
        deaf.close()
        client = self.accept(policy([(b"a", forwarding(gone, refusing, good))]), b"abc")
        backend = self.accepted(listening)
        self.assertEqual(self.receive(backend), b"abc")
        client.close()
        backend.close()
        record = self.record()
        self.assertEqual((record.backend, record.attempts), (str(good), 3))
        self.assertEqual(record.end, "done")

    def test_no_target(self) -> None:
        """When all have failed, the client is closed and the record says how."""
        gone = Unix(self.path("gone"))
        client = self.accept(policy([(b"a", forwarding(gone))]), b"abc")
        record = self.record()
        self.assertEqual(record.end, "connect-failed")
        self.assertEqual(record.detail, f"{gone}: no such file or directory")
        self.assertTrue(self.is_ended(client))

    def test_hundreds_of_dead_targets(self) -> None:
        """A long list costs time, not the connection."""
        address, listening = self.backend()
        dead = [Unix(self.path(str(number))) for number in range(500)]
        self.accept(policy([(b"a", forwarding(*dead, address))]), b"abc")
        self.assertEqual(self.receive(self.accepted(listening)), b"abc")

    def test_connect_timeout(self) -> None:
        """A target that does not answer in time is given up for the next."""
        self.reactor.installNameResolver(Speechless())
        address, listening = self.backend()
        plan = forwarding(Host("slow.test", 1), address, timeout=2.0)
        client = self.accept(policy([(b"a", plan)]), b"abc")
        self.reactor.advance(1.9)
        self.assertRaises(BlockingIOError, listening.accept)
        self.reactor.advance(0.2)
        backend = self.accepted(listening)
        self.assertEqual(self.receive(backend), b"abc")
        client.close()
        backend.close()
        self.assertEqual(self.record().attempts, 2)

    def test_client_leaves_while_connecting(self) -> None:
        """It is seen at the latest when the backend is there, and is recorded."""
        self.reactor.installNameResolver(Speechless())
        plan = forwarding(Host("slow.test", 1), timeout=2.0)
        client = self.accept(policy([(b"a", plan)]), b"abc")
        client.close()
        self.reactor.settle()
        self.reactor.advance(2.1)
        self.assertEqual(self.record().end, "connect-failed")

    def test_stop_while_connecting(self) -> None:
        """Nothing of the attempt is left, and its late failure is nobody's."""
        names = Speechless()
        self.reactor.installNameResolver(names)
        self.accept(policy([(b"a", forwarding(Host("slow.test", 1)))]), b"abc")
        self.stop_all()
        self.assertEqual(self.record().end, "stopped")
        names.complete()
        self.reactor.settle()
        self.assertEqual(len(self.records), 1)

    def test_end_then_dial(self) -> None:
        """A client that has finished still gets its backend's answer."""
        address, listening = self.backend()
        client = self.accept(policy([(b"abc", CLOSE)], fallback=forwarding(address)))
        client.send(b"ab")
        client.shutdown(socket.SHUT_WR)
        backend = self.accepted(listening)
        self.assertEqual(self.receive(backend), b"ab")
        self.assertTrue(self.is_ended(backend))
        backend.send(b"answer")
        backend.close()
        self.assertEqual(self.receive(client), b"answer")
        self.assertEqual((self.record().sent, self.record().received), (2, 6))


class LateTests(StageCase):
    """Transports that cannot be paused at once, such as TLS."""

    def test_late_bytes_while_connecting(self) -> None:
        """What a transport had in hand when it was paused stands in its place."""
        self.reactor.installNameResolver(Speechless())
        address, listening = self.backend()
        plan = forwarding(Host("slow.test", 1), address, timeout=2.0)
        client = self.accept(policy([(b"a", plan)]), b"abc")
        (front,) = self.engine.live
        assert isinstance(front, Front)
        front.dataReceived(b"def")
        client.send(b"ghi")
        self.reactor.advance(2.1)
        self.assertEqual(self.receive(self.accepted(listening)), b"abcdefghi")


class RelayTests(StageCase):
    """Between client and backend."""

    def setUp(self) -> None:
        super().setUp()
        self.address, self.listening = self.backend()

    def relayed(
        self, idle: float | None = None, half_close: float | None = None
    ) -> tuple[socket.socket, socket.socket]:
        routes = [(b"a", forwarding(self.address))]
        wanted = policy(routes, idle=idle, half_close=half_close)
        client = self.accept(wanted, b"a")
        return client, self.accepted(self.listening)

    def test_client_finishes_first(self) -> None:
        """The backend sees the end, and its answer still arrives."""
        client, backend = self.relayed()
        client.send(b"question")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.receive(backend), b"aquestion")
        self.assertTrue(self.is_ended(backend))
        backend.send(b"answer")
        self.assertEqual(self.receive(client), b"answer")
        self.assertEqual(self.records, [])
        backend.close()
        self.assertEqual(self.record().end, "done")
        self.assertTrue(self.is_ended(client))
        self.assertEqual((self.record().sent, self.record().received), (9, 6))

    def test_backend_finishes_first(self) -> None:
        """The client sees the end, and can still send."""
        client, backend = self.relayed()
        backend.send(b"hello")
        backend.shutdown(socket.SHUT_WR)
        self.assertEqual(self.receive(client), b"hello")
        self.assertTrue(self.is_ended(client))
        client.send(b"bye")
        self.assertEqual(self.receive(backend), b"abye")
        self.assertEqual(self.records, [])
        client.close()
        self.assertEqual(self.record().end, "done")

    def test_backend_had_gone(self) -> None:
        """It had told its end, and then left what it was sent."""
        client, backend = self.relayed()
        self.receive(backend)
        backend.send(b"hello")
        backend.shutdown(socket.SHUT_WR)
        self.assertEqual(self.receive(client), b"hello")
        self.assertEqual(self.records, [])
        client.send(b"and?")
        self.reactor.settle()
        client.close()
        backend.close()
        self.assertEqual(
            (self.record().end, self.record().detail), ("backend-lost", HAD_ENDED)
        )
        self.assertEqual((self.record().sent, self.record().received), (5, 5))

    def test_backpressure(self) -> None:
        """Nobody's bytes are read while the other side takes none."""
        client, backend = self.relayed()
        for fast, slow in ((client, backend), (backend, client)):
            sent = 0
            while True:
                self.reactor.settle()
                try:
                    sent += fast.send(bytes(1 << 16))
                except BlockingIOError:
                    break
            # Two kernel buffers each way, and what one transport may hold.
            self.assertLess(sent, 4 << 20)
            got = len(self.receive(slow))
            self.assertEqual(got, sent + (slow is backend))

    def test_leaves_no_garbage(self) -> None:
        """What belongs to a connection goes with it, not with the next collection."""

        def visit() -> None:
            client, backend = self.relayed()
            backend.send(b"x")
            self.receive(client)
            client.close()
            self.reactor.settle()
            backend.close()
            self.reactor.settle()

        visit()
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for _ in range(5):
            visit()
        self.assertEqual(gc.collect(), 0)

    def test_idle(self) -> None:
        """Bytes either way put the end off."""
        client, backend = self.relayed(idle=10.0)
        for sock in (client, backend, client):
            self.reactor.advance(9.0)
            sock.send(b"x")
            self.reactor.settle()
        self.reactor.advance(9.9)
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        self.assertEqual(self.record().end, "idle-timeout")

    def test_half_close_timeout(self) -> None:
        """Once one side has finished, the other may not rest for long."""
        client, backend = self.relayed(half_close=5.0)
        self.reactor.advance(100.0)
        client.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.reactor.advance(4.0)
        backend.send(b"x")
        self.reactor.settle()
        self.reactor.advance(4.9)
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        self.assertEqual(self.record().end, "half-close-timeout")

    def left(self, live: Live) -> int:
        """@return: octets that the backend has still to take from us."""
        assert isinstance(live, Front) and live._back is not None
        return unsent(live._back.transport)

    def test_record_waits_for_the_backend(self) -> None:
        """The session is not over before it has what the client sent and left."""
        client, backend = self.relayed()
        (live,) = self.engine.live
        sent = 1
        while not self.left(live):
            sent += client.send(bytes(1 << 14))
            self.reactor.settle()
        client.close()
        backend.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        self.assertEqual(self.records, [])
        self.assertEqual(len(self.receive(backend)), sent)
        self.assertEqual((self.record().sent, self.record().end), (sent, "done"))

    def test_end_with_a_full_backend(self) -> None:
        """It reads what was sent to it, then the end, without further ado."""
        client, backend = self.relayed(idle=5.0)
        with self.assertRaises(BlockingIOError):
            while True:
                client.send(bytes(1 << 16))
                self.reactor.settle()
        self.reactor.advance(5.1)
        self.receive(backend)
        self.assertTrue(self.is_ended(backend))
        self.assertEqual(self.record().end, "idle-timeout")

    def test_last_bytes_of_a_slow_reader(self) -> None:
        """What is under way at the end has its time to arrive, and no more."""
        client, backend = self.relayed()
        sent = 0
        while True:
            self.reactor.settle()
            try:
                sent += backend.send(bytes(1 << 16))
            except BlockingIOError:
                break
        client.shutdown(socket.SHUT_WR)
        self.reactor.settle()
        backend.close()
        # The client reads a part: the backend's end gets through to us.
        got = len(client.recv(1 << 20))
        self.reactor.settle()
        got += len(self.receive(client))
        self.assertEqual(got, sent)
        self.assertEqual(self.record().received, sent)

    def test_reader_that_never_reads(self) -> None:
        """Its time is over after a while; only what it took is counted."""
        client, backend = self.relayed()
        self.assertEqual(self.receive(backend), b"a")
        client.shutdown(socket.SHUT_WR)
        backend.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sent = backend.send(bytes(1 << 18))
        backend.close()
        self.reactor.settle()
        self.assertEqual(self.records, [])
        self.reactor.advance(LINGER + 0.1)
        record = self.record()
        self.assertEqual(record.end, "done")
        self.assertLess(record.received, sent)
        self.assertEqual(record.received, len(self.receive(client)))


class LingerTests(StageCase):
    """The end of a client that has not finished."""

    def answered(self, answer: bytes) -> socket.socket:
        async def serve(client: Client) -> None:
            client.write(answer)

        return self.accept(policy([(b"a", serving(serve))]), b"abc")

    def test_input_that_nobody_reads(self) -> None:
        """What the client still sends does not reset the connection."""
        client = self.answered(b"answer")
        client.sendall(bytes(1 << 16))
        self.assertEqual(self.receive(client), b"answer")
        self.assertTrue(self.is_ended(client))
        self.assertEqual(self.records, [])
        client.close()
        record = self.record()
        self.assertEqual((record.end, record.sent, record.received), ("done", 0, 6))

    def test_not_for_ever(self) -> None:
        """A client that never finishes is closed after a while."""
        self.answered(b"answer")
        self.reactor.settle()
        self.reactor.advance(LINGER - 0.1)
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        self.assertEqual(self.record().end, "done")

    def test_slow_reader(self) -> None:
        """Who still takes something, however slowly, gets all of it."""
        client = self.answered(bytes(8 << 20))
        got = 0
        while got < 8 << 20:
            self.reactor.advance(LINGER - 0.1)
            self.reactor.settle()
            data = client.recv(1 << 17)
            self.assertTrue(data, f"cut after {got} octets")
            got += len(data)
        self.assertTrue(self.is_ended(client))
        client.close()
        self.assertEqual(self.record().received, 8 << 20)

    def test_mute_reader(self) -> None:
        """Who takes nothing is reset, and the record tells what was taken."""
        self.answered(bytes(8 << 20))
        self.reactor.settle()
        for _ in range(3):
            self.reactor.advance(LINGER)
        self.assertLess(self.record().received, 4 << 20)

    def turned_away(self) -> socket.socket:
        """@return: a client that has sent more than is read before the end."""
        plan = forwarding(Unix(self.path("gone")))
        client, ours = socket.socketpair()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.keep(client).sendall(b"a" * MORE)
        self.engine.accept(ours, Unix(""), LOCAL, policy([(b"a", plan)]))
        return client

    def test_no_backend(self) -> None:
        """It sees the end of the stream, not a reset; then it may leave."""
        client = self.turned_away()
        client.sendall(bytes(1 << 16))
        self.assertTrue(self.is_ended(client))
        client.sendall(bytes(1 << 16))
        self.reactor.settle()
        self.assertEqual(self.records, [])
        client.close()
        record = self.record()
        self.assertEqual((record.end, record.sent), ("connect-failed", 0))

    def test_no_backend_not_for_ever(self) -> None:
        """Who goes on sending is closed after a while."""
        client = self.turned_away()
        self.assertTrue(self.is_ended(client))
        self.reactor.advance(LINGER - 0.1)
        client.sendall(bytes(1 << 10))
        self.reactor.settle()
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        self.assertEqual(self.record().end, "connect-failed")

    def test_no_backend_and_finished(self) -> None:
        """Its end stands behind what nobody has read: all is over at once."""
        client = self.turned_away()
        client.shutdown(socket.SHUT_WR)
        self.assertTrue(self.is_ended(client))
        self.assertEqual(self.record().end, "connect-failed")

    def test_nothing_said(self) -> None:
        """Nothing was sent that a reset could destroy: the end comes at once."""
        self.answered(b"")
        self.assertEqual(self.record().end, "done")
