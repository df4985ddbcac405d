"""Tests for L{portmux.net.dial}: one address, one name; races are in integration."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyClass

from portmux.core.address import Address, Host, Unix
from portmux.net.dial import Attempt, Dialer, Wanted
from tests.net.turned import Turned


@implementer(IHostnameResolver)
class Names:
    """A resolver that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self._receivers: list[IResolutionReceiver] = []

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self.asked.append((hostName, portNumber))
        self._receivers.append(resolutionReceiver)
        return None  # type: ignore[return-value] # our receiver does not look at it

    def answer(self, *addresses: IAddress) -> None:
        receiver = self._receivers.pop(0)
        for address in addresses:
            receiver.addressResolved(address)
        receiver.resolutionComplete()


class DialTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Turned()
        self.names = Names()
        self.reactor.installNameResolver(self.names)
        self.dialer = Dialer(self.reactor, self.reactor)
        self.connected: list[tuple[socket.socket, int]] = []
        self.failed: list[str] = []
        self.directory = tempfile.TemporaryDirectory()
        self.listening = socket.socket(socket.AF_UNIX)

    def tearDown(self) -> None:
        for sock, _ in self.connected:
            sock.close()
        self.listening.close()
        self.directory.cleanup()
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")

    def path(self) -> str:
        return str(Path(self.directory.name) / "socket")

    def listen(self, backlog: int = 10) -> Unix:
        self.listening.bind(self.path())
        self.listening.listen(backlog)
        return Unix(self.path())

    def dial(self, address: Address, first: bytes = b"") -> Attempt | None:
        attempt = self.dialer.dial(
            address,
            Wanted(first),
            lambda *won: self.connected.append(won),
            self.failed.append,
        )
        self.reactor.settle()
        return attempt

    def waiting(self, address: Address) -> Attempt:
        """@return: an attempt of which nothing was told yet."""
        attempt = self.dial(address)
        assert attempt is not None
        return attempt

    def test_receives_resolutions(self) -> None:
        """An attempt is what a resolver of Twisted's tells."""
        self.assertTrue(verifyClass(IResolutionReceiver, Attempt))

    def test_first_bytes(self) -> None:
        """They go with the connection, and how many is told."""
        self.dial(self.listen(), b"hello")
        ((sock, sent),) = self.connected
        self.assertEqual((sent, self.failed), (5, []))
        self.assertFalse(sock.getblocking())
        with self.listening.accept()[0] as accepted:
            self.assertEqual(accepted.recv(10), b"hello")

    def test_without_first_bytes(self) -> None:
        """A backend that speaks first is connected to as well."""
        self.dial(self.listen())
        self.assertEqual(self.connected[0][1], 0)

    def test_more_than_goes_at_once(self) -> None:
        """The rest is the caller's."""
        first = bytes(8 << 20)
        self.dial(self.listen(), first)
        self.assertTrue(0 < self.connected[0][1] < len(first))

    def test_failures(self) -> None:
        """Each is one clause."""
        self.dial(Unix(self.path()))
        self.listen(0)
        self.dial(Unix(self.path()))
        self.dial(Unix(self.path()))
        self.listening.close()
        self.dial(Unix(self.path()))
        self.dial(Unix("/" + "a" * 200))
        self.assertEqual(len(self.connected), 1)
        self.assertEqual(
            self.failed,
            [
                "no such file or directory",
                "resource temporarily unavailable",
                "connection refused",
                "af_unix path too long",
            ],
        )

    def test_interface_that_is_not_there(self) -> None:
        """A failure like any other; it may be there the next time."""
        for _ in range(2):
            self.dial(Host("fe80::1%nowhere0", 80))
        self.assertEqual(self.failed, ["no interface with this name"] * 2)

    def test_name(self) -> None:
        """The resolver is asked each time."""
        for _ in range(2):
            self.dial(Host("a.test", 80))
            self.names.answer()
        self.assertEqual(self.names.asked, [("a.test", 80)] * 2)
        self.assertEqual(self.failed, ["a.test does not resolve"] * 2)

    def test_good_for_a_while(self) -> None:
        """Asked again when that is over; without an answer, the old one serves."""
        wanted = Wanted(b"", resolve=30.0)
        name, local = Host("a.test", 9), IPv4Address("TCP", "127.0.0.1", 9)

        def dial() -> None:
            self.dialer.dial(name, wanted, self.none, self.failed.append)

        dial()
        self.names.answer(local)
        self.reactor.settle()
        self.reactor.advance(29.0)
        dial()
        self.reactor.settle()
        self.assertEqual(len(self.names.asked), 1)
        self.reactor.advance(1.0)
        dial()
        self.names.answer()
        self.reactor.settle()
        self.assertEqual(len(self.names.asked), 2)
        self.assertEqual(self.failed, ["connection refused"] * 3)

    def none(self, sock: socket.socket, sent: int) -> None:
        sock.close()
        self.fail("nobody listens there")

    def test_literals_need_no_resolver(self) -> None:
        """However they are written."""
        for host in ("127.0.0.1", "::1", "0:0::1"):
            self.waiting(Host(host, 1)).cancel()
        self.assertEqual(self.names.asked, [])

    def test_cancelled_while_resolving(self) -> None:
        """A late answer is nobody's."""
        attempt = self.waiting(Host("a.test", 80))
        attempt.cancel()
        self.names.answer(IPv4Address("TCP", "127.0.0.1", 80))
        self.reactor.settle()
        self.assertEqual((self.connected, self.failed), ([], []))
