"""Tests for L{portmux.core.mux.upstream}: when to connect, and to whom."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.frame.line import Line
from portmux.core.frame.modbus import Modbus
from portmux.core.mux.settings import JITTER, Settings
from portmux.core.mux.tally import Tally
from portmux.core.mux.upstream import Upstream
from portmux.core.pool import Pool
from tests.core.mux.chaos import Tcp
from tests.core.mux.stage import TARGET, Stage

OTHER = Host("192.0.2.10", 502)


class BackoffTests(SynchronousTestCase):
    def test_chance_shortens_it_a_little(self) -> None:
        """So the longest wait stays the longest."""
        pool, settings = Pool.of([TARGET]), Settings(backoff=10, longest=30)
        upstream = Upstream(0, pool, settings, Tally(), Line(), lambda: 1.0)
        link = upstream.dial(True, 0.0)
        assert link is not None
        upstream.lose(link, 0.0, "connection refused")
        self.assertEqual(upstream.due(True, 0.0), 10 * (1 - JITTER))

    def test_it_is_forgotten_with_the_first_answer(self) -> None:
        stage = Stage(reachable=False, unreachable=9.0)
        one = stage.client()
        stage.ask(one, b"a\n")
        for _ in range(2):
            stage.fail(stage.wires[-1])
            stage.advance(1)
        stage.advance(1)
        self.assertIsNone(one.told)
        stage.connected(stage.wires[-1])
        stage.say(stage.wires[-1], b"A\n")
        stage.end(stage.wires[-1])
        stage.ask(one, b"b\n")
        self.assertEqual(len(stage.wires), 4)

    def test_it_begins_anew_for_a_request_that_comes_later(self) -> None:
        """Else who asks in the last moment that the target is away asks in vain."""
        stage = Stage(reachable=False, keep=True)
        stage.carry(stage.mux.start(0.0))
        for wait in (1, 2, 4, 8, 16, 10):
            stage.fail(stage.wires[-1])
            stage.advance(wait)
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.now += 0.001
        stage.fail(stage.wires[-1])
        self.assertEqual(len(stage.wires), 7)
        stage.reachable = True
        stage.advance(1)
        self.assertEqual(stage.wires[-1].take(), b"a\n")

    def test_one_connection_tries_for_all(self) -> None:
        stage = Stage(connections=3, keep=True, reachable=False)
        stage.carry(stage.mux.start(0.0))
        self.assertEqual(len(stage.wires), 3)
        for wire in list(stage.wires):
            stage.fail(wire)
        stage.advance(1)
        self.assertEqual(len(stage.wires), 4)


class BackendTests(SynchronousTestCase):
    def test_the_next_one_is_tried_at_once(self) -> None:
        stage = Stage(pools=[Pool.of([TARGET, OTHER])], reachable=False)
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.fail(stage.wires[0])
        tried = [wire.link.backend.address for wire in stage.wires]
        self.assertEqual(tried, [TARGET, OTHER])
        stage.fail(stage.wires[1])
        self.assertEqual(len(stage.wires), 2)
        stage.advance(1)
        self.assertEqual(stage.wires[2].link.backend.address, TARGET)

    def test_none_is_there(self) -> None:
        pool = Pool.of([TARGET])
        pool.disable(pool.backends[0], 0.0)
        stage = Stage(pools=[pool])
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.advance(3)
        self.assertEqual(stage.wires, [])
        self.assertEqual(one.told, ("connect-failed", "no backend is there"))
        two = stage.client()
        stage.ask(two, b"b\n")
        pool.enable(pool.backends[0], 3.0)
        stage.advance(1)
        self.assertEqual(stage.wires[0].take(), b"b\n")

    def test_who_is_withdrawn_gets_no_more_requests(self) -> None:
        """A connection that lasts for ever would go on with it else."""
        pool = Pool.of([TARGET, OTHER])
        stage = Stage(pools=[pool], connections=2)
        first = pool.backends[0]
        pool.withdrawn.append(
            lambda one: stage.carry(stage.mux.withdraw(one, stage.now))
        )
        one, two = stage.client(), stage.client()
        for person in (one, two):
            stage.ask(person, b"a\n")
        busy, idle = stage.wires
        stage.say(idle, b"A\n")
        pool.drain(first, 0.0)
        self.assertEqual((busy.dropped, idle.dropped), (None, False))
        stage.ask(two, b"b\n")
        self.assertEqual(stage.wires[2].link.backend.address, OTHER)
        stage.say(busy, b"A\n")
        self.assertEqual((one.heard, busy.dropped), (b"A\n", False))
        stage.say(stage.wires[2], b"B\n")
        self.assertEqual((two.heard, first.active), (b"A\nB\n", 0))

    def test_also_when_its_answer_is_not_waited_for(self) -> None:
        """A connection that outlives a request without an answer goes as well."""
        pool = Pool.of([TARGET])
        framer = Modbus()
        stage = Stage(
            framer, [pool], framer.expert(), tolerant=True, answer=1.0, replies=True
        )
        one = stage.client()
        stage.ask(one, Tcp().request(1, 1, False, 1))
        pool.disable(pool.backends[0], 0.0)
        stage.carry(stage.mux.withdraw(pool.backends[0], 0.0))
        stage.advance(1)
        self.assertEqual([wire.dropped for wire in stage.wires], [False])

    def test_what_is_held_is_given_back(self) -> None:
        pool = Pool.of([TARGET])
        stage = Stage(pools=[pool], connections=2)
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\n")
        stage.ask(two, b"b\n")
        self.assertEqual(pool.backends[0].active, 2)
        stage.end(stage.wires[0])
        stage.end(stage.wires[1])
        self.assertEqual(pool.backends[0].active, 0)
        self.assertEqual(pool.backends[0].totals.sessions, 2)


class WantedTests(SynchronousTestCase):
    def test_no_more_connections_than_requests(self) -> None:
        stage = Stage(connections=9)
        one = stage.client()
        for _ in range(5):
            stage.ask(one, b"a\n")
            stage.say(stage.wires[0], b"A\n")
        self.assertEqual(len(stage.wires), 1)
        self.assertEqual((stage.tally.open, stage.tally.dialled), (1, 1))

    def test_unless_they_are_to_be_kept(self) -> None:
        stage = Stage(connections=3, keep=True)
        stage.carry(stage.mux.start(0.0))
        self.assertEqual(stage.tally.open, 3)
