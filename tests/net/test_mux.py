"""Tests for L{portmux.net.mux}: clients, a target, and sockets between them."""

from __future__ import annotations

import socket
from typing import Any

from portmux.actions.mux import Mux, MuxConnect
from portmux.core.asked import Asked
from portmux.core.counts import Counts
from portmux.core.frame.line import Line
from portmux.core.mux.tally import Tally
from portmux.core.plan import Serving
from portmux.net.engine import Engine
from portmux.net.mux import Hub
from tests.net.stage import StageCase, policy


class HubCase(StageCase):
    """
    @ivar target: listens.
    @ivar hub: shares connections to it.
    """

    def share(self, **options: Any) -> None:
        address, self.target = self.backend()
        mux = Mux(protocol=options.pop("protocol", Line()), to=(address,), **options)
        self.options = mux
        plan = mux.plan()
        assert isinstance(plan.lasting, Hub)
        self.hub = plan.lasting
        self.plan: Serving = plan

    def tearDown(self) -> None:
        self.stop_all()
        self.hub.retire()
        super().tearDown()

    def client(self, first: bytes) -> socket.socket:
        """@return: one that has asked, and wants no more than answers to it."""
        client = self.accept(policy([(b"", self.plan)]), first)
        self.reactor.settle()
        return client

    def connections(self) -> list[socket.socket]:
        """@return: those that the target has not seen yet."""
        found = []
        while True:
            self.reactor.settle()
            try:
                found.append(self.keep(self.target.accept()[0]))
            except BlockingIOError:
                return found


class HubTests(HubCase):
    def test_many_share_one(self) -> None:
        self.share()
        clients = [self.client(b"%d\n" % number) for number in range(5)]
        (back,) = self.connections()
        for number in range(5):
            self.assertEqual(self.receive(back), b"%d\n" % number)
            back.sendall(b"%d!\n" % number)
        for number, client in enumerate(clients):
            self.assertEqual(self.receive(client), b"%d!\n" % number)
        self.assertEqual(self.connections(), [])

    def test_record(self) -> None:
        """It tells how many requests there were, and how many were in vain."""
        self.share()
        client = self.client(b"a\nb\n")
        (back,) = self.connections()
        back.sendall(b"A\n")
        self.assertEqual(self.receive(back), b"a\nb\n")
        back.close()
        self.assertEqual(self.receive(client), b"A\n")
        self.assertTrue(self.is_ended(client))
        client.close()
        record = self.record()
        self.assertEqual((record.end, record.backend), ("backend-lost", "mux"))
        self.assertEqual(record.facts, (("requests", "2"), ("failed", "1")))
        self.assertEqual((record.sent, record.received), (4, 2))

    def test_record_of_each_request(self) -> None:
        told: list[Asked] = []
        self.engine.asked = told.append
        self.share(record="requests")
        client = self.client(b"a\n")
        (back,) = self.connections()
        self.reactor.advance(1.5)
        back.sendall(b"Answer\n")
        self.receive(client)
        (asked,) = told
        self.assertEqual((asked.request, asked.result), (b"a\n", "answered"))
        self.assertEqual((asked.sent, asked.received), (2, 7))
        self.assertEqual((asked.waited, asked.answered), (0.0, 1.5))
        self.assertEqual(asked.backend, self.options.to[0])

    def test_target_comes_later(self) -> None:
        self.share()
        self.target.close()
        client = self.client(b"a\n")
        self.reactor.advance(2.9)
        self.assertFalse(self.is_ended(client))
        self.reactor.advance(0.1)
        self.assertTrue(self.is_ended(client))
        self.assertEqual(self.record().end, "connect-failed")

    def test_mute_target(self) -> None:
        """Its connection is reset before another one is used."""
        self.share()
        one, two = self.client(b"a\n"), self.client(b"b\n")
        (back,) = self.connections()
        self.reactor.advance(60)
        self.assertTrue(self.is_ended(one))
        with self.assertRaises(OSError):
            back.sendall(b"late\n")
            self.reactor.settle()
            back.sendall(b"later\n")
        (again,) = self.connections()
        self.assertEqual(self.receive(again), b"b\n")
        again.sendall(b"B\n")
        self.assertEqual(self.receive(two), b"B\n")

    def test_who_does_not_read_is_not_read(self) -> None:
        """Answers that nobody takes do not pile up."""
        self.share()
        client = self.client(b"a\n")
        (back,) = self.connections()
        answer = b"A" * 100_000 + b"\n"
        answered = 0
        for _ in range(200):
            self.reactor.settle()
            if not self.receive(back):
                break
            view = answer
            while view:
                try:
                    view = view[back.send(view) :]
                except BlockingIOError:
                    self.reactor.settle()
            answered += 1
            try:
                client.send(b"a\n")
            except BlockingIOError:
                break
        self.assertLess(answered, 50)
        data = self.receive(client)
        self.assertEqual(len(data), answered * len(answer))
        self.assertEqual(self.receive(back), b"a\n")

    def test_who_asks_too_far_ahead_is_not_read(self) -> None:
        self.share()
        client = self.client(b"a\n")
        (back,) = self.connections()
        sent = 0
        with self.assertRaises(BlockingIOError):
            while True:
                sent += client.send(b"b\n" * 30_000)
                self.reactor.settle()
        self.assertLess(sent, 4 << 20)
        back.sendall(b"A\n")
        self.reactor.settle()
        self.assertEqual(self.receive(back), b"a\nb\n")

    def test_who_finishes_has_its_answer(self) -> None:
        self.share()
        client = self.client(b"a\n")
        client.shutdown(socket.SHUT_WR)
        (back,) = self.connections()
        back.sendall(b"A\n")
        self.assertEqual(self.receive(client), b"A\n")
        self.assertTrue(self.is_ended(client))
        self.assertEqual(self.record().end, "done")

    def test_not_a_request(self) -> None:
        self.share(protocol=Line())
        client = self.client(bytes(2 << 16))
        self.reactor.settle()
        for _ in range(40):
            try:
                client.send(bytes(1 << 16))
            except OSError:
                break
            self.reactor.settle()
        self.assertEqual(self.record().end, "malformed")


class LastingTests(HubCase):
    def start(self, **connect: Any) -> None:
        self.share(connect=MuxConnect(at_start=True, **connect), connections=2)
        self.hub.start(self.engine)

    def test_connects_at_the_start(self) -> None:
        self.start()
        self.assertEqual(len(self.connections()), 2)

    def test_and_again(self) -> None:
        self.start()
        for back in self.connections():
            back.close()
        self.reactor.settle()
        self.assertEqual(self.connections(), [])
        self.reactor.advance(1)
        self.assertEqual(len(self.connections()), 2)

    def test_ends_with_the_last_client(self) -> None:
        self.start()
        client = self.client(b"a\n")
        backs = self.connections()
        self.hub.retire()
        self.reactor.settle()
        heard = [self.receive(back) for back in backs]
        self.assertEqual(sorted(heard), [b"", b"a\n"])
        backs[heard.index(b"a\n")].sendall(b"A\n")
        self.assertEqual(self.receive(client), b"A\n")
        client.close()
        self.reactor.settle()
        self.assertTrue(all(self.is_ended(back) for back in backs))

    def test_leaves_a_backend_that_is_withdrawn(self) -> None:
        """At once where nothing is under way; nobody is told once it has ended."""
        self.start()
        (pool,) = self.hub.pools
        client = self.client(b"a\n")
        backs = self.connections()
        pool.disable(pool.backends[0], 0.0)
        self.reactor.settle()
        heard = [self.receive(back) for back in backs]
        self.assertEqual(sorted(heard), [b"", b"a\n"])
        backs[heard.index(b"a\n")].sendall(b"A\n")
        self.assertEqual(self.receive(client), b"A\n")
        self.assertTrue(all(self.is_ended(back) for back in backs))
        self.assertEqual(len(pool.withdrawn), 1)
        self.hub.retire()
        self.assertEqual(len(pool.withdrawn), 1)
        client.close()
        self.reactor.settle()
        self.assertEqual(pool.withdrawn, [])

    def test_is_counted_where_it_should_be(self) -> None:
        self.share()
        counts = Counts()
        self.hub.count(counts, "plc")
        self.hub.start(self.engine)
        self.client(b"a\n")
        self.assertIsInstance(counts.muxes["plc"], Tally)
        self.assertEqual(counts.muxes["plc"].open, 1)

    def test_goes_on_in_place_of_its_like(self) -> None:
        self.share()
        same, other = (
            self.options.plan().lasting,
            Mux(protocol=Line(), to=self.options.to, connections=7).plan().lasting,
        )
        assert same is not None and other is not None
        self.assertTrue(self.hub.resembles(same))
        self.assertFalse(self.hub.resembles(other))

    def test_begins_once(self) -> None:
        self.start()
        engine: Engine = self.engine
        self.hub.start(engine)
        self.assertEqual(len(self.connections()), 2)
