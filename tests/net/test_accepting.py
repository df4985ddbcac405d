"""Test portmux.net.accepting."""

from __future__ import annotations

import socket

from twisted.logger import Logger

from portmux.core.address import Address, BindAddress, Host, Unix
from portmux.net.accept import Acceptor
from portmux.net.accepting import Accepting
from portmux.net.listen import Listening, listen, named
from tests.net.logs import Logged
from tests.net.stage import StageCase


class AcceptingTests(StageCase):
    """
    @ivar asked: where an acceptor was made.
    @ivar left: where nobody accepts any more.
    @ivar told: what the log says.
    """

    _log = Logger()

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[BindAddress] = []
        self.left: list[BindAddress] = []
        self.greeting = b"hello"
        self.told = Logged(self, AcceptingTests).lines
        self.accepting = Accepting("front", self._log, self._acceptor, self.left.append)
        self.addCleanup(self.accepting.stop)

    def _acceptor(self, address: BindAddress, sock: socket.socket) -> Acceptor:
        self.asked.append(address)
        greeting = self.greeting

        def accepted(client: socket.socket, source: Address, local: Address) -> None:
            client.send(greeting)
            client.close()

        return self.engine.acceptor_of_others(sock, accepted)

    def listening(self, name: str = "front") -> tuple[Unix, list[socket.socket]]:
        """@return: an address of a file, and the socket that listens there."""
        address = Unix(self.path(name))
        return address, listen(Listening(address), {})

    def visit(self, address: Unix) -> bytes:
        """@return: what a client of the address is told."""
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(address.path)
        return self.receive(client)

    def test_before_the_start(self) -> None:
        """No acceptor is made: the process may not have forked."""
        address, sockets = self.listening()
        self.accepting.add(address, sockets)
        self.assertEqual(self.asked, [])
        self.assertEqual(self.accepting.sockets(address), sockets)
        self.assertEqual(self.accepting.remove(address), sockets)
        for sock in sockets:
            sock.close()

    def test_start_and_stop(self) -> None:
        """In between clients of each address are accepted; it may be done again."""
        for _ in range(2):
            places = [self.listening("one"), self.listening("two")]
            for address, sockets in places:
                self.accepting.add(address, sockets)
            self.accepting.start()
            found = [self.visit(address) for address, _ in places]
            self.assertEqual(found, [b"hello", b"hello"])
            self.accepting.stop()
            for address, _ in places:
                self.assertRaises(OSError, self.visit, address)
        self.assertEqual(self.accepting.addresses(), [])

    def test_twice_stopped(self) -> None:
        address, sockets = self.listening()
        self.accepting.add(address, sockets)
        self.accepting.start()
        self.accepting.stop()
        self.accepting.stop()
        self.assertEqual(self.left, [address])

    def test_add_and_remove(self) -> None:
        """A new address has acceptors at once; where one went, clients wait."""
        self.accepting.start()
        address, sockets = self.listening()
        self.accepting.add(address, sockets)
        self.assertEqual(self.visit(address), b"hello")
        self.assertEqual(self.left, [])
        (moved,) = self.accepting.remove(address)
        self.addCleanup(moved.close)
        self.assertEqual(self.left, [address])
        self.assertEqual(self.visit(address), b"")

    def test_renew(self) -> None:
        """Clients who come later have the new acceptor, and nobody is told."""
        address, sockets = self.listening()
        self.accepting.add(address, sockets)
        self.accepting.start()
        self.greeting = b"welcome"
        self.assertEqual(self.visit(address), b"hello")
        self.accepting.renew()
        self.assertEqual(self.visit(address), b"welcome")
        self.assertEqual(len(self.told), 1)

    def test_addresses(self) -> None:
        """The log and others hear of the ports that the system has chosen."""
        address = Host("127.0.0.1", 0)
        sockets = listen(Listening(address), {})
        self.accepting.add(address, sockets)
        found = named(sockets[0])
        self.assertEqual(self.accepting.addresses(), [found])
        self.assertEqual(self.told, [])
        self.accepting.start()
        self.assertEqual(self.told, [("info", f"front listens on {found}")])
