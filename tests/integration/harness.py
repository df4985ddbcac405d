"""An engine on trial's reactor; clients and backends that block, in threads."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase

from portmux.core.address import Host
from portmux.core.policy import Policy
from portmux.core.record import Record
from portmux.net.accept import Acceptor
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine
from portmux.net.listen import Listening, listen
from tests.engines import KIND

T = TypeVar("T")

reactor: Any = installed
"""Its type in Twisted says less than it provides."""

PATIENCE = 30.0
"""Seconds that a client or backend waits for a byte, on a busy machine."""


def listening(host: str = "127.0.0.1", backlog: int = 100) -> socket.socket:
    """@return: a socket on a free port, whose accepted ones have patience too."""
    sock = socket.create_server(
        (host, 0),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=backlog,
    )
    sock.settimeout(PATIENCE)
    return sock


def address_of(sock: socket.socket) -> Host:
    """@return: where a listening socket is reached."""
    return Host(*sock.getsockname()[:2])


class BlackHole:
    """
    An address that answers nothing: its queue is full.

    The system drops what else wants to connect, and lets it try again.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._sock = listening(host, 0)
        self.address = address_of(self._sock)
        self._waiting: list[socket.socket] = []
        for _ in range(4):
            waiting = socket.socket(self._sock.family)
            waiting.setblocking(False)
            waiting.connect_ex(self._sock.getsockname())
            self._waiting.append(waiting)

    def close(self) -> None:
        for sock in (self._sock, *self._waiting):
            sock.close()


class EngineCase(TestCase):
    """
    Tests of one engine over loopback.

    @ivar engine: its records come out of L{record}, in order.
    """

    def setUp(self) -> None:
        self._records: DeferredQueue[Record] = DeferredQueue()
        self._sockets: list[socket.socket] = []
        self._acceptors: list[Acceptor] = []
        self.engine = Engine(reactor, Budget(1000), self._records.put, KIND)
        self.threads = ThreadPool(0, 20)
        self.threads.start()

        self.addCleanup(lambda: Deferred.fromCoroutine(self._tidy()))

    async def _tidy(self) -> None:
        for acceptor in self._acceptors:
            acceptor.stop()
        for sock in self._sockets:
            sock.close()
        over: Deferred[None] = Deferred()
        self.engine.idle = lambda: over.callback(None)
        for front in list(self.engine.live):
            front.stop("stopped")
        if self.engine.live:
            await over
        self.engine.stop()
        self.threads.stop()

    def keep(self, sock: socket.socket) -> socket.socket:
        """@return: the socket, with patience, to be closed in the end."""
        sock.settimeout(PATIENCE)
        self._sockets.append(sock)
        return sock

    def serve(self, policy: Policy, host: str = "127.0.0.1") -> int:
        """@return: the port on which the engine now has such clients."""
        opened = listen(Listening(Host(host, 0)), {})
        for sock in opened:
            self._sockets.append(sock)
            acceptor = self.engine.acceptor(sock, lambda: policy)
            acceptor.start()
            self._acceptors.append(acceptor)
        return int(opened[0].getsockname()[1])

    def backend(self, host: str = "127.0.0.1") -> tuple[Host, socket.socket]:
        """@return: an address, and the socket that listens on it."""
        sock = self.keep(listening(host))
        return address_of(sock), sock

    def connect(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        """@return: a client's connection; the system completes it by itself."""
        return self.keep(socket.create_connection((host, port), PATIENCE))

    def accept(self, listening: socket.socket) -> Deferred[socket.socket]:
        """@return: the next connection of a backend."""
        return self.thread(lambda: self.keep(listening.accept()[0]))

    def thread(self, work: Callable[[], T]) -> Deferred[T]:
        """Let something block in a thread. @return: what it returns."""
        found: Deferred[T] = deferToThreadPool(reactor, self.threads, work)
        return found

    async def until(self, done: Callable[[], object]) -> None:
        """Let the reactor turn until it is so."""
        while not done():
            await deferLater(reactor, 0, lambda: None)

    def record(self) -> Deferred[Record]:
        """@return: the record of the next session that ends, or has ended."""
        return self._records.get()
