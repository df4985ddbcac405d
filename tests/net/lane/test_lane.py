"""What holds of the Twisted engine holds of the lane."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.limits import Count, Gate, Limits
from portmux.core.match.prefix import Prefix
from portmux.core.plan import Closing
from portmux.core.policy import Policy
from portmux.core.record import Record
from portmux.core.sniff import Route, Table, Way
from portmux.net.engine import Kind
from portmux.net.lane.lane import missing
from portmux.net.lane.pair import Pair
from portmux.net.live import Live
from tests.net import test_client, test_engine, test_front
from tests.net.stage import StageCase, forwarding, policy
from tests.net.test_front import Broken


class MissingTests(SynchronousTestCase):
    def test_missing(self) -> None:
        """The first thing that is not there is named."""
        self.assertIsNone(missing())
        kept = os.splice
        del os.splice
        self.addCleanup(setattr, os, "splice", kept)
        self.assertEqual(missing(), "os.splice")


class SniffTests(test_front.SniffTests):
    kind = Kind.LANE


class DialTests(test_front.DialTests):
    kind = Kind.LANE


class RelayTests(test_front.RelayTests):
    kind = Kind.LANE

    def left(self, live: Live) -> int:
        assert isinstance(live, Pair)
        return live.up.left


class ServingTests(test_client.ServingTests):
    kind = Kind.LANE


class LingerTests(test_front.LingerTests):
    kind = Kind.LANE


class ClientTests(test_client.ClientTests):
    kind = Kind.LANE


class EngineTests(test_engine.EngineTests):
    kind = Kind.LANE


class StageTests(StageCase):
    """Many clients at the same time."""

    kind = Kind.LANE

    def setUp(self) -> None:
        super().setUp()
        self.address, self.backends = self.backend()
        self.listening = self.keep(socket.socket(socket.AF_UNIX))
        self.listening.bind(self.path("front"))
        self.listening.listen(100)
        self.policy = policy([(b"a", forwarding(self.address)), (b"c", Closing())])
        acceptor = self.engine.acceptor(self.listening, lambda: self.policy)
        acceptor.start()
        self.acceptors = [acceptor]

    def tearDown(self) -> None:
        for acceptor in self.acceptors:
            acceptor.stop()
        super().tearDown()

    def connect(self, first: bytes) -> socket.socket:
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(self.path("front"))
        client.send(first)
        return client

    def test_all_are_served(self) -> None:
        """Each in its own way; nobody gets what is another one's."""
        clients = [self.connect(b"a%d" % number) for number in range(20)]
        closed = [self.connect(b"c") for _ in range(5)]
        silent = [self.connect(b"") for _ in range(5)]
        backends = [self.accepted(self.backends) for _ in clients]
        for backend in backends:
            backend.send(self.receive(backend))
        found = [self.receive(client) for client in clients]
        self.assertEqual(found, [b"a%d" % number for number in range(20)])
        for client in closed:
            self.assertTrue(self.is_ended(client))
        self.assertEqual(len(self.engine.live), 25)
        for sock in clients + backends + silent:
            sock.close()
        self.reactor.settle()
        self.assertEqual(self.engine.live, set())
        ends = [record.end for record in self.records]
        self.assertEqual((ends.count("closed"), ends.count("no-route")), (5, 5))
        self.assertEqual(self.engine.budget.taken, 0)

    def test_one_at_a_time(self) -> None:
        """Limits hold among those who come at the same time, too."""
        self.policy = policy(
            [(b"a", forwarding(self.address))], limits=Limits(connections=2)
        )
        for _ in range(5):
            self.connect(b"a")
        self.reactor.settle()
        ends = [record.end for record in self.records]
        self.assertEqual(ends, ["limit-connections"] * 3)

    def test_mistakes(self) -> None:
        """What fails of one, at any stage, is not the others' affair."""
        routes = [
            Route(Broken(), Way("broken", Closing())),
            Route(Prefix((b"a",)), Way("a", forwarding(self.address))),
        ]
        self.policy = Policy("front", Table(routes), Gate(Limits(), Count()))
        for first in (b"b", b"a", b"b", b"a"):
            self.connect(first)
        for _ in range(2):
            self.assertEqual(self.receive(self.accepted(self.backends)), b"a")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
        self.assertEqual([record.end for record in self.records], ["error"] * 2)

    def test_record_that_cannot_be_written(self) -> None:
        """The others' are."""
        told: list[Record] = []

        def ended(record: Record) -> None:
            told.append(record)
            if len(told) == 1:
                raise RuntimeError("no room")

        self.engine._ended = ended
        for _ in range(3):
            self.connect(b"c")
        self.reactor.settle()
        self.assertEqual(len(told), 3)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
