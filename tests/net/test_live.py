"""Tests for L{portmux.net.live}: whoever has a session in hand keeps to it."""

from __future__ import annotations

from portmux.core.record import Record
from portmux.net.client import Client
from portmux.net.engine import Kind
from portmux.net.front import Front
from portmux.net.lane.link import Link
from portmux.net.lane.pair import Pair
from portmux.net.live import Live
from tests.net.stage import StageCase, forwarding, policy, serving


class LiveTests(StageCase):
    kind = Kind.LANE

    def check(self, first: bytes, kind: type) -> Record:
        """A session in these hands expires when asked to, and stops."""
        address, _ = self.backend(kind.__name__)
        wanted = policy([(b"ab", forwarding(address)), (b"c", serving(self.serve))])
        client = self.accept(wanted, first)
        self.reactor.settle()
        (live,) = self.engine.live
        self.assertIsInstance(live, kind)
        one: Live = live
        one.expire()  # it is not its time
        self.assertEqual(self.records, [])
        one.stop("stopped")
        self.reactor.settle()
        self.assertEqual(self.engine.live, set())
        self.assertRaises((BrokenPipeError, ConnectionResetError), client.send, b"x")
        record = self.records.pop()
        self.assertEqual((record.end, record.number), ("stopped", one.session.number))
        return record

    async def serve(self, client: Client) -> None:
        """Leave it at that."""

    def test_sniffing(self) -> None:
        self.assertEqual(self.check(b"a", Link).route, "-")

    def test_relayed(self) -> None:
        self.assertEqual(self.check(b"ab", Pair).route, "ab")

    def test_other_engine(self) -> None:
        self.kind = Kind.TWISTED
        self.engine.use(self.kind)
        self.assertEqual(self.check(b"a", Front).route, "-")
