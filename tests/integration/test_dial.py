"""The race between the addresses of a name, over loopback, by a clock in our hand."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from portmux.core.address import Host
from portmux.net.dial import STAGGER, Attempt, Dialer, Wanted
from tests.integration.harness import BlackHole, address_of, listening
from tests.net.turned import Turned


@implementer(IHostnameResolver)
class Known:
    """A resolver to which every name has these addresses."""

    def __init__(self) -> None:
        self.addresses: list[Host] = []

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        for one in self.addresses:
            kind = IPv6Address if ":" in one.host else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", one.host, one.port))
        resolutionReceiver.resolutionComplete()
        return None  # type: ignore[return-value] # our receiver does not look at it


class DialCase(SynchronousTestCase):
    """Tests of one dialer."""

    def setUp(self) -> None:
        self.reactor = Turned()
        self.names = Known()
        self.reactor.installNameResolver(self.names)
        self.dialer = Dialer(self.reactor, self.reactor)
        self.connected: list[tuple[socket.socket, int]] = []
        self.failed: list[str] = []
        self.sockets: list[socket.socket] = []

    def tearDown(self) -> None:
        for sock in self.sockets + [sock for sock, _ in self.connected]:
            sock.close()
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")

    def live(self, host: str) -> Host:
        self.sockets.append(listening(host))
        return address_of(self.sockets[-1])

    def refusing(self, host: str) -> Host:
        with listening(host) as closed:
            return address_of(closed)

    def silent(self, host: str) -> Host:
        hole = BlackHole(host)
        self.addCleanup(hole.close)
        return hole.address

    def dial(self, *addresses: Host, first: bytes = b"hello") -> Attempt:
        self.names.addresses = list(addresses)
        attempt = self.dialer.dial(
            Host("name.test", 1),
            Wanted(first),
            lambda *won: self.connected.append(won),
            self.failed.append,
        )
        assert attempt is not None
        self.reactor.settle()
        return attempt

    def winner(self) -> Host:
        ((sock, _),) = self.connected
        self.assertEqual(self.failed, [])
        return Host(*sock.getpeername()[:2])


class RaceTests(DialCase):
    """RFC 8305: a dead address does not keep a live one waiting."""

    def test_refused(self) -> None:
        """The next address has its turn at once, in either order of families."""
        for dead, alive in (("::1", "127.0.0.1"), ("127.0.0.1", "::1")):
            address = self.live(alive)
            self.dial(self.refusing(dead), address)
            self.reactor.until(lambda: self.connected)
            self.assertEqual(self.winner(), address)
            self.connected.pop()[0].close()

    def test_silent(self) -> None:
        """The next one joins after a while, and not before."""
        address = self.live("127.0.0.1")
        self.dial(self.silent("::1"), address)
        self.reactor.advance(STAGGER - 0.01)
        self.reactor.settle()
        self.assertEqual(self.connected, [])
        self.reactor.advance(0.02)
        self.reactor.until(lambda: self.connected)
        self.assertEqual(self.winner(), address)

    def test_first_bytes_go_once(self) -> None:
        """To the winner, and no other connection stays open."""
        address = self.live("127.0.0.1")
        self.dial(self.silent("::1"), address, first=b"hello")
        self.reactor.advance(STAGGER + 0.01)
        self.reactor.until(lambda: self.connected)
        with self.sockets[-1].accept()[0] as accepted:
            ((sock, sent),) = self.connected
            self.assertEqual(accepted.recv(10), b"hello")
            self.assertEqual(sent, 5)
            sock.close()
            self.assertEqual(accepted.recv(10), b"")

    def test_families_alternate(self) -> None:
        """Many dead addresses of one family do not hide the other."""
        address = self.live("127.0.0.1")
        dead = [self.silent("::1") for _ in range(3)]
        self.dial(*dead, address)
        self.reactor.advance(STAGGER + 0.01)
        self.reactor.until(lambda: self.connected)
        self.assertEqual(self.winner(), address)

    def test_none(self) -> None:
        """The last failure is what is told."""
        self.dial(self.refusing("::1"), self.refusing("127.0.0.1"))
        self.reactor.until(lambda: self.failed)
        self.assertEqual(self.failed, ["connection refused"])
        self.assertEqual(self.connected, [])

    def test_late_refusal(self) -> None:
        """One that fails while another is still in the race says nothing."""
        attempt = self.dial(self.silent("::1"), self.refusing("127.0.0.1"))
        self.reactor.advance(STAGGER + 0.01)
        self.reactor.settle()
        self.assertEqual((self.connected, self.failed), ([], []))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        attempt.cancel()

    def test_cancelled(self) -> None:
        """Nothing is left of it, and nobody is told."""
        attempt = self.dial(self.silent("::1"), self.silent("127.0.0.1"))
        self.reactor.advance(STAGGER + 0.01)
        self.reactor.settle()
        attempt.cancel()
        self.assertEqual(self.reactor.getWriters(), [])
        self.assertEqual((self.connected, self.failed), ([], []))

    def literal(self, wanted: Wanted) -> socket.socket:
        """@return: the connection to an address that needs no resolver."""
        self.dialer.dial(
            self.live("::1"),
            wanted,
            lambda *won: self.connected.append(won),
            self.failed.append,
        )
        self.reactor.until(lambda: self.connected)
        self.winner()
        return self.connected[0][0]

    def test_literal(self) -> None:
        """With a first byte it is there at once, without one soon."""
        for first in (b"x", b""):
            self.literal(Wanted(first))
            sock, sent = self.connected.pop()
            self.assertEqual(sent, len(first))
            sock.close()

    def test_options(self) -> None:
        """Connections are as they are wanted."""
        for keepalive, nodelay in ((True, True), (False, False)):
            sock = self.literal(Wanted(b"x", keepalive, nodelay))
            for level, name, wanted in (
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, keepalive),
                (socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay),
            ):
                self.assertEqual(bool(sock.getsockopt(level, name)), wanted)
            self.connected.pop()[0].close()


class SourceTests(DialCase):
    """Connections that come from addresses of ours, by turns."""

    def sources(self, address: Host, source: tuple[str, ...], count: int) -> list[str]:
        """@return: where the backend sees so many connections come from."""
        for _ in range(count):
            self.dialer.dial(
                address,
                Wanted(b"x", source=source),
                lambda *won: self.connected.append(won),
                self.failed.append,
            )
        self.reactor.until(lambda: len(self.connected) + len(self.failed) == count)
        return [sock.getsockname()[0] for sock, _ in self.connected]

    def test_by_turns(self) -> None:
        """Each as often as the others."""
        source = ("127.0.0.2", "::1", "127.0.0.3")
        found = self.sources(self.live("127.0.0.1"), source, 6)
        self.assertEqual(sorted(found), ["127.0.0.2"] * 3 + ["127.0.0.3"] * 3)

    def test_port_is_not_taken_before_it_is_known_whither(self) -> None:
        """So that each address has all ports for each backend; in both families."""
        for host in ("127.0.0.1", "::1"):
            self.sources(self.live(host), (host,), 1)
            sock, _ = self.connected.pop()
            option = sock.getsockopt(socket.IPPROTO_IP, 24)  # linux/in.h
            sock.close()
            self.assertEqual(option, 1)

    def test_none_fits(self) -> None:
        """It is told why, and that attempt has failed."""
        told: list[str] = []
        for host in ("::1", "192.0.2.1"):
            self.sources(self.live("127.0.0.1"), (host,), 1)
            told.append(self.failed.pop())
        wanted = ["no source address is IPv4"]
        wanted.append("source 192.0.2.1: cannot assign requested address")
        self.assertEqual(told, wanted)
