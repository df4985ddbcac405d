"""Test portmux.services.scraping."""

from __future__ import annotations

import socket

from portmux.core.address import Unix
from portmux.net.engine import Engine
from portmux.net.listen import Listening, listen
from portmux.services.scraping import ScrapingService
from tests.net.stage import StageCase

REQUEST = b"GET /metrics HTTP/1.0\r\n\r\n"


class ScrapingServiceTests(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked = 0
        self.service = ScrapingService(lambda _: (b"up 1\n", "text/plain"), self._given)

    def _given(self) -> Engine:
        self.asked += 1
        return self.engine

    def listening(self, name: str = "metrics") -> tuple[Unix, list[socket.socket]]:
        """@return: an address of a file, and the socket that listens there."""
        address = Unix(self.path(name))
        return address, listen(Listening(address), {})

    def visit(self, address: Unix) -> bytes:
        """@return: what a client of the address is told."""
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(address.path)
        client.send(REQUEST)
        return self.receive(client)

    def test_before_it_runs(self) -> None:
        """The engine is not asked for: the process may not have forked."""
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        self.assertEqual(self.asked, 0)
        self.assertEqual(self.service.accepting.sockets(address), sockets)
        self.assertEqual(self.service.accepting.remove(address), sockets)
        for sock in sockets:
            sock.close()

    def test_runs(self) -> None:
        """From start to stop; who is connected then is let go."""
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        self.service.startService()
        self.assertTrue(self.visit(address).endswith(b"\r\n\r\nup 1\n"))
        client = self.keep(socket.socket(socket.AF_UNIX))
        client.connect(address.path)
        self.reactor.settle()
        self.service.stopService()
        self.reactor.settle()
        self.assertEqual(client.recv(1), b"")
        self.assertRaises(OSError, self.visit, address)

    def test_add_while_it_runs(self) -> None:
        """A new address is answered on at once, one that goes no more."""
        self.service.startService()
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        self.assertIn(b" 200 ", self.visit(address))
        (left,) = self.service.accepting.remove(address)
        self.assertEqual(self.visit(address), b"")
        left.close()
        self.service.stopService()

    def test_no_session(self) -> None:
        """Whoever reads is none: nothing is recorded or counted of it."""
        address, sockets = self.listening()
        self.service.accepting.add(address, sockets)
        self.service.startService()
        self.visit(address)
        self.assertEqual((self.records, self.engine.budget.taken), ([], 0))
        self.service.stopService()
        self.reactor.settle()
