"""Tests for L{portmux.net.accept}; the descriptor limit itself is in integration."""

from __future__ import annotations

import errno
import socket
import tempfile
from pathlib import Path

from twisted.internet.interfaces import IReadDescriptor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from portmux.core.address import Address, Unix
from portmux.net.accept import BATCH, PAUSE, WARNING, Acceptor
from portmux.net.descriptors import Budget
from tests.net.logs import Logged
from tests.net.turned import Turned


class Short(socket.socket):
    """
    A listening socket of a system that is short of something.

    @ivar code: what it fails with; 0: it does not.
    @ivar tries: how often somebody was to be accepted.
    """

    code = 0
    tries = 0

    def _accept(self) -> tuple[int, object]:
        self.tries += 1
        if self.code:
            raise OSError(self.code, "short")
        accepted: tuple[int, object] = super()._accept()  # type: ignore[misc]
        return accepted


class AcceptorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Turned()
        self.budget = Budget(10_000)
        self.accepted: list[tuple[socket.socket, Address, Address]] = []
        self.clients: list[socket.socket] = []
        self.stops = False
        self.mistakes = False
        self.logged = Logged(self, Acceptor)
        self.directory = tempfile.TemporaryDirectory()
        self.path = str(Path(self.directory.name) / "socket")
        self.sock = Short(socket.AF_UNIX)
        self.sock.setblocking(False)
        self.sock.bind(self.path)
        self.sock.listen(1000)
        self.acceptor = Acceptor(
            self.sock, self.reactor, self.budget, lambda: 2, self.take
        )
        self.acceptor.start()

    def tearDown(self) -> None:
        self.acceptor.stop()
        self.sock.close()
        for sock in self.clients + [sock for sock, _, _ in self.accepted]:
            sock.close()
        self.directory.cleanup()
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")

    def take(self, sock: socket.socket, source: Address, local: Address) -> None:
        self.budget.take(2)
        self.accepted.append((sock, source, local))
        if self.mistakes:
            raise RuntimeError("mistake")
        if self.stops:
            self.acceptor.stop()

    def connect(self, count: int = 1) -> None:
        for _ in range(count):
            client = socket.socket(socket.AF_UNIX)
            client.connect(self.path)
            self.clients.append(client)

    def test_reader(self) -> None:
        """What the reactor takes."""
        self.assertTrue(verifyObject(IReadDescriptor, self.acceptor))

    def test_accept(self) -> None:
        """The client, where it comes from and where it came to."""
        self.connect()
        self.reactor.settle()
        ((_, source, local),) = self.accepted
        self.assertEqual((source, local), (Unix(""), Unix(self.path)))

    def test_many_at_a_time(self) -> None:
        """As many as are there, but others have their turn in between."""
        self.connect(BATCH + 5)
        self.reactor.turn()
        self.assertEqual(len(self.accepted), BATCH)
        self.reactor.turn()
        self.assertEqual(len(self.accepted), BATCH + 5)

    def test_stop(self) -> None:
        """Clients wait in the system's hands, and can be accepted by another."""
        self.acceptor.stop()
        self.connect()
        self.reactor.settle()
        self.assertEqual(self.accepted, [])
        self.acceptor.start()
        self.reactor.settle()
        self.assertEqual(len(self.accepted), 1)

    def test_stopped_by_a_client(self) -> None:
        """What follows from one may be that there is no other."""
        self.connect(3)
        self.stops = True
        self.reactor.settle()
        self.assertEqual((len(self.accepted), self.sock.tries), (1, 1))

    def test_budget(self) -> None:
        """No more than can be served; each end lets one more in, without a rush."""
        self.budget.most = 6
        self.connect(10)
        self.reactor.settle()
        self.assertEqual(len(self.accepted), 3)
        self.assertEqual(self.sock.tries, 3)
        for number in range(4, 11):
            self.budget.give(2)
            self.reactor.settle()
            self.assertEqual((len(self.accepted), self.sock.tries), (number, number))
        why = "accepting pauses: every allowed descriptor is in use"
        self.assertEqual(self.logged.lines, [("warn", why)])

    def test_warnings_are_rare(self) -> None:
        """One in a while says it."""
        self.budget.most = 2
        self.connect(3)
        self.reactor.settle()
        self.reactor.advance(WARNING - 1.0)
        self.budget.give(2)
        self.reactor.settle()
        self.assertEqual(len(self.logged.lines), 1)
        self.reactor.advance(1.0)
        self.budget.give(2)
        self.reactor.settle()
        self.assertEqual(len(self.logged.lines), 2)

    def test_stopped_while_pausing(self) -> None:
        """Whoever has stopped is not started by a session's end."""
        self.budget.most = 2
        self.connect(2)
        self.reactor.settle()
        self.acceptor.stop()
        self.budget.give(2)
        self.reactor.settle()
        self.assertEqual(len(self.accepted), 1)

    def test_short_system(self) -> None:
        """It is tried again after a while, not at once, and the client is not lost."""
        self.connect(2)
        self.sock.code = errno.ENFILE
        self.reactor.settle()
        self.assertEqual(self.sock.tries, 1)
        why = "accepting pauses: too many open files in system"
        self.assertEqual(self.logged.lines, [("warn", why)])
        self.reactor.advance(PAUSE + 0.1)
        self.reactor.settle()
        self.assertEqual((self.sock.tries, self.accepted), (2, []))
        self.sock.code = 0
        self.reactor.advance(PAUSE + 0.1)
        self.reactor.settle()
        self.assertEqual(len(self.accepted), 2)

    def test_stopped_while_short(self) -> None:
        """No timer is left."""
        self.connect()
        self.sock.code = errno.EMFILE
        self.reactor.settle()
        self.acceptor.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_broken_socket(self) -> None:
        """One that can accept nobody any more costs no processor time."""
        self.sock.code = errno.EINVAL
        self.connect()
        self.reactor.settle()
        self.assertEqual(self.sock.tries, 1)

    def test_mistake(self) -> None:
        """Whoever takes the clients fails: that is told, for it is the end of it."""
        self.mistakes = True
        self.connect()
        self.reactor.settle()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        text = f"unix:{self.path} was closed: mistake"
        self.assertEqual(self.logged.lines, [("error", text)])

    def test_client_that_has_gone(self) -> None:
        """The next one is accepted all the same."""
        self.sock.code = errno.ECONNABORTED
        self.connect()
        self.reactor.turn()
        self.assertEqual(self.sock.tries, BATCH)
        self.sock.code = 0
        self.reactor.settle()
        self.assertEqual(len(self.accepted), 1)
