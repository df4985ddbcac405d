"""Clients, backends and what passes between them, over TCP."""

from __future__ import annotations

import random
import socket
from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from portmux.core.address import Host, Unix
from portmux.core.effects import Phase
from portmux.core.session import HAD_ENDED
from portmux.net.closing import unsent
from portmux.net.descriptors import Budget
from portmux.net.front import Front
from portmux.net.lane.flow import COPIED
from portmux.net.lane.native import Relayed
from portmux.net.lane.pair import Pair
from portmux.net.lane.pipes import SIZE
from portmux.net.live import Live
from portmux.net.stream import RECEIVE
from tests.integration.harness import BlackHole, EngineCase
from tests.net.stage import forwarding, policy
from tests.sockets import is_reset, receive, reset

DATA = random.Random(1).randbytes(8 << 20)
OTHER = random.Random(2).randbytes(8 << 20)


def run(coroutine: Coroutine[Any, Any, None]) -> Deferred[None]:
    return Deferred.fromCoroutine(coroutine)


def _held(live: Live) -> list[tuple[int, int]]:
    """@return: for both directions, what is held of it, and what may be."""
    if isinstance(live, Relayed):
        return []  # tests/native counts its pipes; there is no way to look inside
    if isinstance(live, Pair):
        return [(flow.left, 3 * COPIED + SIZE) for flow in (live.up, live.down)]
    assert isinstance(live, Front) and live._back is not None
    streams = (live.transport, live._back.transport)
    return [(unsent(stream), 3 * RECEIVE) for stream in streams]


class RelayTests(EngineCase):
    """Between a client and its backend."""

    def setUp(self) -> None:
        super().setUp()
        self.address, self.listening = self.backend()
        self.port = self.serve(policy([(b"x", forwarding(self.address))]))

    async def pair(self, first: bytes = b"x") -> tuple[socket.socket, socket.socket]:
        """@return: a client that has sent these bytes, and its backend's side."""
        client = self.connect(self.port)
        client.sendall(first)
        back = await self.accept(self.listening)
        self.assertEqual(await self.thread(lambda: receive(back, len(first))), first)
        return client, back

    def test_both_ways_at_once(self) -> Deferred[None]:
        """8 MiB each way, half-closed by each side when it is done; every octet."""
        return run(self._both_ways_at_once())

    async def _both_ways_at_once(self) -> None:
        client, back = await self.pair()

        def send(sock: socket.socket, data: bytes) -> None:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

        sending = [
            self.thread(lambda: send(client, DATA)),
            self.thread(lambda: send(back, OTHER)),
        ]
        received = [
            self.thread(lambda: receive(back)),
            self.thread(lambda: receive(client)),
        ]
        await gatherResults(sending)
        sent, answered = await gatherResults(received)
        self.assertTrue(sent == DATA and answered == OTHER)
        record = await self.record()
        self.assertEqual((record.sent, record.received), (len(DATA) + 1, len(OTHER)))
        self.assertEqual((record.end, record.attempts), ("done", 1))

    def test_one_after_the_other(self) -> Deferred[None]:
        """Each side in turn answers the other's end with 8 MiB."""
        return run(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        for client_first in (True, False):
            client, back = await self.pair()
            one, other = (client, back) if client_first else (back, client)

            def answer(sock: socket.socket = other) -> bytes:
                data = receive(sock)
                sock.sendall(data)
                sock.close()
                return data

            answering = self.thread(answer)

            def ask(sock: socket.socket = one) -> bytes:
                sock.sendall(DATA)
                sock.shutdown(socket.SHUT_WR)
                return receive(sock)

            found = await self.thread(ask)
            self.assertTrue(found == DATA and await answering == DATA)
            record = await self.record()
            first = len(b"x")
            self.assertEqual(record.sent, len(DATA) + first)
            self.assertEqual((record.received, record.end), (len(DATA), "done"))

    def test_first_bytes_in_any_pieces(self) -> Deferred[None]:
        """What was sniffed is replayed once, whatever follows how soon."""
        return run(self._first_bytes_in_any_pieces())

    async def _first_bytes_in_any_pieces(self) -> None:
        address, listening = self.backend()
        port = self.serve(policy([(DATA[:5000], forwarding(address))], limit=1 << 20))
        cuts = random.Random(3)
        for _ in range(20):
            edges = sorted(cuts.sample(range(1, 20_000), cuts.randrange(5)))
            client = self.connect(port)

            def send(sock: socket.socket = client, edges: list[int] = edges) -> None:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for start, end in zip([0, *edges], [*edges, 20_000], strict=True):
                    sock.sendall(DATA[start:end])
                sock.shutdown(socket.SHUT_WR)

            await self.thread(send)
            back = await self.accept(listening)
            found = await self.thread(lambda sock=back: receive(sock))  # type: ignore[misc]
            self.assertTrue(found == DATA[:20_000])
            back.close()
            self.assertEqual((await self.record()).sent, 20_000)

    def test_slow_reader(self) -> Deferred[None]:
        """A fast sender waits; no more than a buffer is held for either side."""
        return run(self._slow_reader())

    async def _slow_reader(self) -> None:
        for fast_client in (True, False):
            client, back = await self.pair()
            fast, slow = (client, back) if fast_client else (back, client)
            fast.settimeout(0.2)

            def fill(sock: socket.socket = fast) -> int:
                sent = 0
                try:
                    while True:
                        sent += sock.send(DATA[:RECEIVE])
                except TimeoutError:
                    return sent

            sent = await self.thread(fill)
            (front,) = self.engine.live
            for held, most in _held(front):
                self.assertLess(held, most)
            fast.close()
            found = await self.thread(lambda sock=slow: receive(sock))  # type: ignore[misc]
            self.assertEqual(len(found), sent)
            slow.close()
            await self.record()

    def test_both_families(self) -> Deferred[None]:
        """A wildcard has both; each client's record says where it came to."""
        return run(self._both_families())

    async def _both_families(self) -> None:
        port = self.serve(policy([(b"x", forwarding(self.address))]), "*")
        for host in ("127.0.0.1", "::1"):
            client = self.connect(port, host)
            client.sendall(b"x")
            back = await self.accept(self.listening)
            (front,) = self.engine.live
            self.assertEqual(front.session.local, Host(host, port))
            there = Host(*client.getsockname()[:2])
            client.close()
            back.close()
            record = await self.record()
            self.assertEqual((record.local, record.client), (Host(host, port), there))

    def test_idle(self) -> Deferred[None]:
        """Also when the reactor had to wait for the backend."""
        return run(self._idle())

    async def _idle(self) -> None:
        plan = forwarding(self.address)
        wanted = policy([(b"x", plan)], silent=plan, silence=0.05, idle=0.2)
        client = self.connect(self.serve(wanted))
        await self.accept(self.listening)
        self.assertEqual(await self.thread(lambda: receive(client)), b"")
        record = await self.record()
        self.assertEqual((record.route, record.end), ("silent", "idle-timeout"))

    def test_few_descriptors(self) -> Deferred[None]:
        """Clients that are too many wait their turn, and all have it."""
        return run(self._few_descriptors())

    async def _few_descriptors(self) -> None:
        self.engine.budget = Budget(4)
        port = self.serve(policy([(b"x", forwarding(self.address))]))
        clients = [self.connect(port) for _ in range(20)]
        for client in clients:
            client.sendall(b"x")
        for _ in range(20):
            back = await self.accept(self.listening)
            self.assertLessEqual(len(self.engine.live), 2)
            await self.thread(lambda sock=back: receive(sock, 1))  # type: ignore[misc]
            back.sendall(b"y")
            back.close()
            await self.thread(lambda: receive(clients[0], 1))
            clients.pop(0).close()
            self.assertEqual((await self.record()).end, "done")


class ResetTests(EngineCase):
    """A connection that is cut off, at every stage."""

    def phases(self) -> list[Phase]:
        return [front.session.phase for front in self.engine.live]

    def test_while_sniffing(self) -> Deferred[None]:
        """A record, with what had come."""
        return run(self._while_sniffing())

    async def _while_sniffing(self) -> None:
        address, _ = self.backend()
        port = self.serve(policy([(b"xyz", forwarding(address))]))
        for first in (b"", b"xy"):
            client = self.connect(port)
            client.sendall(first)
            await self.until(lambda: self.engine.live)
            (front,) = self.engine.live
            while (
                first
                and front.session.phase.name == "SNIFF"
                and not front.session.touched > front.session.opened
            ):
                await self.thread(lambda: None)
            reset(client)
            record = await self.record()
            self.assertEqual((record.end, record.route), ("client-lost", "-"))

    def test_before_accept(self) -> Deferred[None]:
        """It has come and gone before anybody looked: a record all the same."""
        return run(self._before_accept())

    async def _before_accept(self) -> None:
        address, _ = self.backend()
        port = self.serve(policy([(b"xyz", forwarding(address))]))
        client = self.connect(port)  # the reactor has no turn in here
        reset(client)
        self.assertEqual((await self.record()).end, "client-lost")

    def test_while_dialling(self) -> Deferred[None]:
        """The backend that is connected to later is reset, or never comes about."""
        return run(self._while_dialling())

    async def _while_dialling(self) -> None:
        hole = BlackHole()
        self.addCleanup(hole.close)
        address, listening = self.backend()
        plan = forwarding(hole.address, address, timeout=0.3)
        port = self.serve(policy([(b"x", plan)]))
        client = self.connect(port)
        client.sendall(b"x")
        await self.until(lambda: self.phases() == [Phase.DIAL])
        reset(client)
        back = await self.accept(listening)
        self.assertTrue(await self.thread(lambda: is_reset(back)))
        record = await self.record()
        self.assertEqual((record.end, record.attempts), ("client-lost", 2))

    def test_client_in_relay(self) -> Deferred[None]:
        """The backend sees a reset, not an end."""
        return run(self._in_relay(of_client=True))

    def test_backend_in_relay(self) -> Deferred[None]:
        """The client sees a reset, not an end."""
        return run(self._in_relay(of_client=False))

    async def talking(self) -> tuple[socket.socket, socket.socket]:
        """@return: a client and a backend that have said an octet each."""
        address, listening = self.backend()
        port = self.serve(policy([(b"x", forwarding(address))]))
        client = self.connect(port)
        client.sendall(b"x")
        back = await self.accept(listening)
        await self.thread(lambda: receive(back, 1))
        back.sendall(b"y")
        await self.thread(lambda: receive(client, 1))
        return client, back

    async def _in_relay(self, of_client: bool) -> None:
        client, back = await self.talking()
        one, other = (client, back) if of_client else (back, client)
        reset(one)
        self.assertTrue(await self.thread(lambda: is_reset(other)))
        record = await self.record()
        self.assertEqual(record.end, "client-lost" if of_client else "backend-lost")
        self.assertEqual((record.sent, record.received), (1, 1))

    def test_behind_its_end(self) -> Deferred[None]:
        """A backend that had gone is noticed with the client's very last octets."""
        return run(self._behind_its_end())

    async def _behind_its_end(self) -> None:
        client, back = await self.talking()
        back.close()
        self.assertEqual(await self.thread(lambda: receive(client)), b"")
        client.sendall(b"x")
        client.close()
        record = await self.record()
        self.assertEqual((record.end, record.detail), ("backend-lost", HAD_ENDED))
        self.assertEqual((record.sent, record.received), (2, 1))

    def test_after_a_half_close(self) -> Deferred[None]:
        """Who has finished can still be cut off."""
        return run(self._after_a_half_close())

    async def _after_a_half_close(self) -> None:
        address, listening = self.backend()
        port = self.serve(policy([(b"x", forwarding(address))]))
        client = self.connect(port)
        client.sendall(b"x")
        client.shutdown(socket.SHUT_WR)
        back = await self.accept(listening)
        await self.thread(lambda: receive(back))
        reset(back)
        self.assertTrue(await self.thread(lambda: is_reset(client)))
        self.assertEqual((await self.record()).end, "backend-lost")


class TargetTests(EngineCase):
    """Which backend it will be."""

    def test_one_after_the_other(self) -> Deferred[None]:
        """Refused, missing, silent: the next; the bytes arrive once."""
        return run(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        hole = BlackHole()
        self.addCleanup(hole.close)
        refused, closed = self.backend()
        closed.close()
        missing = Unix(self.mktemp())
        address, listening = self.backend()
        plan = forwarding(refused, missing, hole.address, address, timeout=0.3)
        port = self.serve(policy([(b"x", plan)]))
        client = self.connect(port)
        client.sendall(b"xyz")
        client.shutdown(socket.SHUT_WR)
        back = await self.accept(listening)
        self.assertEqual(await self.thread(lambda: receive(back)), b"xyz")
        back.sendall(b"answer")
        back.close()
        self.assertEqual(await self.thread(lambda: receive(client)), b"answer")
        record = await self.record()
        self.assertEqual((record.attempts, record.backend), (4, str(address)))
        self.assertEqual((record.end, record.detail), ("done", ""))

    def test_none_left(self) -> Deferred[None]:
        """The record says why each of them failed."""
        return run(self._none_left())

    async def _none_left(self) -> None:
        hole = BlackHole()
        self.addCleanup(hole.close)
        refused, closed = self.backend()
        closed.close()
        plan = forwarding(refused, hole.address, timeout=0.3)
        port = self.serve(policy([(b"x", plan)]))
        client = self.connect(port)
        client.sendall(b"x")
        self.assertEqual(await self.thread(lambda: receive(client)), b"")
        client.close()
        record = await self.record()
        self.assertEqual(
            (record.end, record.detail),
            (
                "connect-failed",
                f"{refused}: connection refused; {hole.address}: connect timeout",
            ),
        )

    def test_none_left_for_a_sender(self) -> Deferred[None]:
        """What it has sent meanwhile does not turn the end into a reset."""
        return run(self._none_left_for_a_sender())

    async def _none_left_for_a_sender(self) -> None:
        hole = BlackHole()
        self.addCleanup(hole.close)
        port = self.serve(policy([(b"x", forwarding(hole.address, timeout=0.3))]))
        client = self.connect(port)
        client.sendall(b"x")
        await self.until(
            lambda: [one.session.phase for one in self.engine.live] == [Phase.DIAL]
        )
        client.sendall(b"y" * 1000)
        self.assertEqual(await self.thread(lambda: receive(client)), b"")
        client.sendall(b"y")
        client.close()
        record = await self.record()
        self.assertEqual((record.end, record.sent), ("connect-failed", 0))

    def test_localhost(self) -> Deferred[None]:
        """A name is asked of the system, and both families are tried."""
        return run(self._localhost())

    async def _localhost(self) -> None:
        address, listening = self.backend()
        port = self.serve(policy([(b"x", forwarding(Host("localhost", address.port)))]))
        client = self.connect(port)
        client.sendall(b"xyz")
        client.shutdown(socket.SHUT_WR)
        back = await self.accept(listening)
        self.assertEqual(await self.thread(lambda: receive(back)), b"xyz")
        back.close()
        client.close()
        record = await self.record()
        self.assertEqual(record.backend, f"localhost:{address.port}")
