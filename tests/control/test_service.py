"""Tests for L{portmux.control.service}: with real sockets, in one process."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.control import service
from portmux.control.desk import Desk
from portmux.control.line import LineSession
from portmux.control.service import ControlService
from portmux.core.address import Unix
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine
from portmux.net.listen import Listening, listen
from tests.control.stage import Office
from tests.net.turned import Turned


class ControlServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Turned()
        self.addCleanup(self.reactor.close)
        self.engine = Engine(self.reactor, Budget(100), lambda record: None)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.address = Unix(os.path.join(self.folder, "c"))
        self.desk = Desk(Office())
        self.service = ControlService("control.line", self._make, lambda: self.engine)
        self.addCleanup(self._stop)
        self.others: list[int] = []

    def _make(self, source: Any, others: int, left: Any) -> LineSession:
        self.others.append(others)
        return LineSession(self.desk, self.reactor, isinstance(source, Unix), left)

    def _stop(self) -> None:
        if self.service.running:
            self.service.stopService()
        self.reactor.settle()
        self.engine.stop()
        self.assertEqual(self.reactor.left(), [])

    def start(self) -> None:
        self.service.accepting.add(self.address, listen(Listening(self.address), {}))
        self.service.startService()

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(self.address.path)
        client.setblocking(False)
        self.reactor.settle()
        return client

    def ask(self, client: socket.socket, line: str = "status") -> str:
        client.send(f"{line}\n".encode())
        self.reactor.settle()
        try:
            return client.recv(65536).decode()
        except BlockingIOError:
            return "nothing"

    def test_serves(self) -> None:
        self.start()
        one, two = self.connect(), self.connect()
        self.assertEqual(self.ask(two), "OK: No tunnels\n")
        self.assertEqual(self.ask(one, "exit"), "")
        self.assertEqual(self.others, [0, 1])

    def test_added_later(self) -> None:
        self.service.startService()
        self.service.accepting.add(self.address, listen(Listening(self.address), {}))
        self.assertEqual(self.ask(self.connect()), "OK: No tunnels\n")
        self.assertEqual(len(self.service.accepting.sockets(self.address)), 1)

    def test_removed(self) -> None:
        """Clients that are there stay; a new one is not served."""
        self.start()
        client = self.connect()
        (sock,) = self.service.accepting.remove(self.address)
        self.addCleanup(sock.close)
        self.assertEqual(self.ask(client), "OK: No tunnels\n")
        self.assertEqual(self.ask(self.connect()), "nothing")

    def test_stop(self) -> None:
        self.start()
        client = self.connect()
        self.service.stopService()
        self.reactor.settle()
        self.assertEqual(client.recv(1), b"")
        self.assertFalse(os.path.exists(self.address.path))

    def test_too_many(self) -> None:
        """Who said nothing for longest makes room."""
        self.patch(service, "MOST", 2)
        self.start()
        old = self.connect()
        self.reactor.advance(1)
        idle = self.connect()
        self.reactor.advance(1)
        self.ask(old)
        fresh = self.connect()
        self.assertEqual(idle.recv(1), b"")
        self.assertEqual(self.ask(old), "OK: No tunnels\n")
        self.assertEqual(self.ask(fresh), "OK: No tunnels\n")
