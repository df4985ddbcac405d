"""An engine on a turned reactor, with clients and backends in the test's hand."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, Unix
from portmux.core.limits import Count, Gate, Limits
from portmux.core.match.prefix import Prefix
from portmux.core.plan import Forwarding, Plan, Serving
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.record import Record
from portmux.core.sniff import Route, Table, Way
from portmux.net.client import Client
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine, Kind
from tests.net.turned import Turned

LOCAL = Unix("/listener")
"""Where clients on a stage have connected to."""


def policy(
    routes: Sequence[tuple[bytes, Plan]] = (),
    *,
    fallback: Plan | None = None,
    silent: Plan | None = None,
    undecided: Plan | None = None,
    limits: Limits | None = None,
    limit: int = 65536,
    timeout: float | None = None,
    silence: float | None = None,
    idle: float | None = None,
    half_close: float | None = None,
) -> Policy:
    """
    @param routes: prefixes in order, and what is done with connections that
        start so; the route's name is the prefix.
    @param silence: seconds until C{silent} has the client.
    """
    table = Table(
        [
            Route(Prefix((prefix,)), Way(prefix.decode("latin-1"), plan))
            for prefix, plan in routes
        ],
        silent=None if silent is None else Way("silent", silent),
        undecided=None if undecided is None else Way("undecided", undecided),
        limit=limit,
    )
    if fallback is not None:
        table.fallback = Way("fallback", fallback)
    gate = Gate(limits or Limits(), Count())
    return Policy("front", table, gate, timeout, silence, idle, half_close)


def forwarding(*addresses: Address, timeout: float = 10.0) -> Forwarding:
    """@return: a plan that tries these backends in order."""
    return Forwarding(Pool.of(addresses), timeout, len(addresses))


def serving(serve: Callable[[Client], Coroutine[Any, Any, None]]) -> Serving:
    """@return: a plan that gives the connection to a coroutine."""
    return Serving("test", serve)


class StageCase(SynchronousTestCase):
    """
    Tests of one engine.

    @ivar kind: which one.
    @ivar records: of the sessions that have ended.
    """

    kind = Kind.TWISTED

    def setUp(self) -> None:
        self.reactor = Turned()
        self.records: list[Record] = []
        ended = self.records.append
        self.engine = Engine(self.reactor, Budget(1000), ended, self.kind)
        self._directory = tempfile.TemporaryDirectory()
        self._sockets: list[socket.socket] = []

    def tearDown(self) -> None:
        for sock in self._sockets:
            sock.close()
        self.reactor.settle()
        self.stop_all()
        self._directory.cleanup()
        self.engine.stop()
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")
        self.assertEqual(len(self.engine.tasks), 0)

    def keep(self, sock: socket.socket) -> socket.socket:
        """@return: the socket, non-blocking, to be closed in the end."""
        sock.setblocking(False)
        self._sockets.append(sock)
        return sock

    def path(self, name: str = "socket") -> str:
        """@return: a path for a file of this test."""
        return str(Path(self._directory.name) / name)

    def accept(self, wanted: Policy, first: bytes = b"") -> socket.socket:
        """
        Have the engine accept a client.

        @param first: what the client sends before it is accepted.
        @return: the client's socket.
        """
        theirs, ours = socket.socketpair()
        self.keep(theirs)
        if first:
            theirs.sendall(first)
        self.engine.accept(ours, Unix(""), LOCAL, wanted)
        return theirs

    def backend(self, name: str = "socket") -> tuple[Unix, socket.socket]:
        """@return: an address, and the socket that listens on it."""
        sock = self.keep(socket.socket(socket.AF_UNIX))
        sock.bind(self.path(name))
        sock.listen()
        return Unix(self.path(name)), sock

    def accepted(self, listening: socket.socket) -> socket.socket:
        """@return: the next connection of a backend."""
        self.reactor.settle()
        return self.keep(listening.accept()[0])

    def receive(self, sock: socket.socket) -> bytes:
        """@return: all that arrives now; does not tell whether it is the end."""
        self.reactor.settle()
        data = b""
        while True:
            try:
                more = sock.recv(1 << 20)
            except BlockingIOError:
                return data
            if not more:
                return data
            data += more
            self.reactor.settle()

    def stop_all(self) -> None:
        """Stop every session, as an operator may."""
        for front in list(self.engine.live):
            front.stop("stopped")
        self.reactor.settle()

    def is_ended(self, sock: socket.socket) -> bool:
        """@return: whether the end of the stream stands where it is read next."""
        self.reactor.settle()
        try:
            return sock.recv(1) == b""
        except BlockingIOError:
            return False

    def record(self) -> Record:
        """@return: the record of the one session that there was."""
        self.reactor.settle()
        self.assertEqual(len(self.records), 1)
        return self.records[0]
