"""Tests for L{portmux.net.lane.link}; what both engines do is in test_lane."""

from __future__ import annotations

import socket

from portmux.core.plan import Forwarding
from portmux.core.pool import Pool, Settings
from portmux.core.reach import Reach
from portmux.net.client import Client
from portmux.net.engine import Kind
from portmux.net.front import Front
from portmux.net.lane.link import Link
from portmux.net.lane.pair import Pair
from portmux.net.life import Ending
from portmux.net.live import Live
from tests.net.stage import StageCase, forwarding, policy, serving


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""
        self.ends = 0
        self.over = Ending()

    def received(self, data: bytes) -> None:
        self.data += data

    def ended(self) -> None:
        self.ends += 1
        self.over.come()

    def lost(self) -> None:
        self.over.come()


class LinkTests(StageCase):
    kind = Kind.LANE

    def setUp(self) -> None:
        super().setUp()
        self.sink = Sink()

    async def serve(self, client: Client) -> None:
        client.attach(self.sink)
        client.write(b"welcome")
        await self.sink.over.wait()

    def live(self) -> Live:
        self.reactor.settle()
        (live,) = self.engine.live
        return live

    def test_until_it_is_relayed(self) -> None:
        """One after the other has the session; there is never more than one."""
        address, listening = self.backend()
        client = self.accept(policy([(b"abc", forwarding(address))]), b"a")
        self.assertIsInstance(self.live(), Link)
        session = self.live().session
        client.send(b"bc")
        self.accepted(listening)
        self.assertIsInstance(self.live(), Pair)
        self.assertIs(self.live().session, session)

    def test_until_it_is_adopted(self) -> None:
        """The Twisted engine has it then, and the bytes that were seen."""
        for first, then in ((b"abc", b"de"), (b"a", b"bcde")):
            client = self.accept(policy([(b"abc", serving(self.serve))]), first)
            self.reactor.settle()
            client.send(then)
            self.assertEqual(self.receive(client), b"welcome")
            self.assertIsInstance(self.live(), Front)
            self.assertEqual(self.sink.data, b"abcde")
            client.close()
            self.reactor.settle()
            self.assertEqual(self.engine.live, set())
            self.sink = Sink()

    def test_adopted_after_its_end(self) -> None:
        """An action that needs no bytes is told of the end, once."""
        plan = serving(self.serve)
        client = self.accept(policy([(b"abc", plan)], fallback=plan), b"ab")
        self.reactor.settle()
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.receive(client), b"welcome")
        self.assertEqual((self.sink.data, self.sink.ends), (b"ab", 1))

    def test_what_the_lane_cannot_reach(self) -> None:
        """The Twisted engine dials, with the bytes that were seen."""
        address, listening = self.backend()
        pool = Pool.of((address,), Settings(reach=Reach(resolve=60.0)))
        self.accept(policy([(b"abc", Forwarding(pool, 10.0, 1))]), b"abcd")
        backend = self.accepted(listening)
        self.assertEqual(self.receive(backend), b"abcd")
        self.assertIsInstance(self.live(), Front)
