"""Test portmux.services.listener."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from portmux.core.address import Unix
from portmux.core.counts import Counts
from portmux.core.plan import Closing, Lasting, Serving
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.net.client import Client
from portmux.net.engine import Engine, Kind
from portmux.net.front import Front
from portmux.net.lane.link import Link
from portmux.net.listen import Listening, listen
from portmux.services.listener import ListenerService
from tests.net.stage import StageCase, policy, serving


def greeting(words: bytes) -> Policy:
    """@return: that of a listener which says this to everybody, at once."""

    async def greet(client: Client) -> None:
        client.write(words)

    return policy(fallback=serving(greet))


def waiting() -> Policy:
    """@return: that of a listener which waits for a first byte."""
    return policy([(b"x", Closing())])


class Memory:
    """@ivar told: what it was, in order."""

    def __init__(self) -> None:
        self.pools: Sequence[Pool] = [Pool.of([Unix("/nowhere")])]
        self.told: list[str] = []

    def resembles(self, other: Lasting) -> bool:
        return other is self

    def count(self, counts: Counts, route: str) -> None:
        self.told.append(f"count {route}")

    def start(self, engine: Engine) -> None:
        self.told.append("start")

    def retire(self) -> None:
        self.told.append("retire")

    def policy(self) -> Policy:
        async def nothing(client: Client) -> None:
            """Nobody comes."""

        return policy(fallback=Serving("remember", nothing, lasting=self))


class LastingTests(StageCase):
    """What plans keep from one session to the next."""

    def setUp(self) -> None:
        super().setUp()
        self.first, self.second = Memory(), Memory()
        self.service = ListenerService(
            "front", self.first.policy(), lambda: self.engine
        )

    def test_begins_and_ends_with_the_service(self) -> None:
        self.assertEqual(self.first.told, ["count fallback"])
        self.service.startService()
        self.assertEqual(self.first.told[1:], ["start"])
        self.service.stopService()
        self.assertEqual(self.first.told[2:], ["retire"])

    def test_others_take_its_place(self) -> None:
        self.service.startService()
        self.service.policy = self.second.policy()
        self.assertEqual(self.first.told[1:], ["start", "retire"])
        self.assertEqual(self.second.told[1:], ["start"])
        self.service.stopService()

    def test_what_is_in_the_next_policy_goes_on(self) -> None:
        self.service.startService()
        self.service.policy = self.first.policy()
        self.assertNotIn("retire", self.first.told)
        self.service.stopService()

    def test_nothing_begins_before_the_service(self) -> None:
        self.service.policy = self.second.policy()
        self.assertEqual(self.second.told, ["count fallback"])
        self.assertEqual(self.first.told, ["count fallback"])


class ListenerServiceTests(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked = 0
        self.service = ListenerService("front", greeting(b"hello"), self._engine)

    def _engine(self) -> Engine:
        self.asked += 1
        return self.engine

    def listening(self, name: str = "front") -> tuple[Unix, list[socket.socket]]:
        """@return: an address of a file, and the socket that listens there."""
        address = Unix(self.path(name))
        return address, listen(Listening(address), {})

    def visit(self, address: Unix) -> bytes:
        """@return: what a client of the address is told."""
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(address.path)
        answer = self.receive(client)
        client.close()
        self.reactor.settle()
        return answer

    def test_before_it_runs(self) -> None:
        """The engine is not asked for: the process may not have forked."""
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        self.assertEqual(self.asked, 0)
        self.assertEqual(self.service.accepting.remove(address), sockets)
        for sock in sockets:
            sock.close()

    def test_runs(self) -> None:
        """From start to stop, clients of each address are served."""
        places = [self.listening("one"), self.listening("two")]
        for address, sockets in places:
            self.service.accepting.add(address, sockets)
        self.service.startService()
        found = [self.visit(address) for address, _ in places]
        self.assertEqual(found, [b"hello", b"hello"])
        self.service.stopService()
        for address, _ in places:
            self.assertRaises(OSError, self.visit, address)

    def test_add_while_it_runs(self) -> None:
        """A new address is served at once."""
        self.service.startService()
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        self.assertEqual(self.visit(address), b"hello")
        self.assertEqual(self.service.accepting.sockets(address), sockets)
        self.service.stopService()

    def test_hand_on(self) -> None:
        """Clients that come while a socket changes hands wait for the new one."""
        other = ListenerService("other", greeting(b"welcome"), self._engine)
        self.service.startService()
        other.startService()
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        moved = self.service.accepting.remove(address)
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(address.path)
        self.assertEqual(self.receive(client), b"", "nobody accepts")
        other.accepting.add(address, moved)
        self.assertEqual(self.receive(client), b"welcome")
        self.service.stopService()
        other.stopService()

    def test_other_engine(self) -> None:
        """Clients who come later have the new one; those who were there stay."""
        self.service.startService()
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        self.service.policy = waiting()
        for kind in (Kind.LANE, Kind.TWISTED, Kind.LANE):
            self.engine.use(kind)
            self.service.accepting.renew()
            client = self.keep(socket.socket(socket.AF_UNIX))
            client.connect(address.path)
            self.reactor.settle()
        found = [type(live) for live in self.engine.live]
        self.assertEqual((found.count(Link), found.count(Front)), (2, 1))
        self.service.policy = greeting(b"hello")
        self.assertEqual(self.visit(address), b"hello")
        self.service.stopService()

    def test_new_policy(self) -> None:
        """Clients who came before keep theirs."""
        self.service.startService()
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        before, after = waiting(), greeting(b"new")
        self.service.policy = before
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(address.path)
        self.reactor.settle()
        self.service.policy = after
        self.assertEqual(self.visit(address), b"new")
        (front,) = self.engine.live
        self.assertIs(front.session.policy, before)
        client.close()
        self.reactor.settle()
        self.service.stopService()

    def test_sessions_outlive_it(self) -> None:
        """To stop listening ends no session."""
        self.service.policy = waiting()
        self.service.startService()
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(address.path)
        self.reactor.settle()
        self.service.stopService()
        self.assertFalse(self.is_ended(client))
        self.assertEqual(len(self.engine.live), 1)
        client.close()
        self.reactor.settle()
        self.assertEqual(len(self.records), 1)

    def test_descriptors_are_those_of_the_policy(self) -> None:
        """Clients wait while there is no room for what they may need."""
        self.engine.budget.most = 3

        async def wait(client: Client) -> None:
            """Ends at once; what it might have opened counts all the same."""

        self.service.policy = policy([(b"x", Serving("test", wait, 2))])
        self.assertEqual(self.service.policy.descriptors, 3)
        self.service.startService()
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        clients = []
        for _ in range(2):
            client = self.keep(socket.socket(socket.AF_UNIX))
            client.connect(address.path)
            clients.append(client)
        self.reactor.settle()
        self.assertEqual(len(self.engine.live), 1)
        clients[0].close()
        self.reactor.settle()
        self.assertEqual(len(self.records), 1)
        self.assertEqual(len(self.engine.live), 1)
        clients[1].close()
        self.reactor.settle()
        self.service.stopService()
