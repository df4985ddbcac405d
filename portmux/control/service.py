"""One address at which portmux is controlled, as a service."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, Final, Protocol

from twisted.application.service import Service
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger

from portmux.core.address import Address, BindAddress
from portmux.net.accept import Acceptor
from portmux.net.engine import Engine
from portmux.net.listen import named, shut

MOST: Final = 256
"""Clients of an address; the one that said nothing for longest makes room (taste)."""


class Client(Protocol):
    """@ivar touched: when it last said something."""

    touched: float

    def abort(self) -> None:
        """End the connection now."""


Make = Callable[[Address, int, Callable[[Any], None]], Any]
"""Given a client's address, how many others there are, and what is to be told at its
end, makes its protocol."""


class ControlService(Service):
    """Serves clients on its sockets while it runs; it may have none."""

    _log = Logger()

    def __init__(self, what: str, make: Make, engine: Callable[[], Engine]) -> None:
        """
        @param what: the option's path, for the log.
        @param engine: asked when first needed, after the process has forked.
        """
        self._what = what
        self._make = make
        self._engine = engine
        self._sockets: dict[BindAddress, list[socket.socket]] = {}
        self._acceptors: dict[BindAddress, list[Acceptor]] = {}
        self._clients: set[Client] = set()

    def add(self, address: BindAddress, sockets: list[socket.socket]) -> None:
        """Own the listening sockets of an address from now on."""
        self._sockets[address] = sockets
        if self.running:
            self._serve_on(address)

    def remove(self, address: BindAddress) -> list[socket.socket]:
        """Serve no more there. @return: its sockets, still listening."""
        for acceptor in self._acceptors.pop(address, []):
            acceptor.stop()
        return self._sockets.pop(address)

    def sockets(self, address: BindAddress) -> list[socket.socket]:
        """@return: those of an address that is this service's."""
        return self._sockets[address]

    def startService(self) -> None:
        super().startService()
        for address in self._sockets:
            self._serve_on(address)

    def stopService(self) -> None:
        """Clients are cut off."""
        for address in list(self._sockets):
            for sock in self.remove(address):
                shut(sock)
        for client in list(self._clients):
            client.abort()
        super().stopService()

    def _serve_on(self, address: BindAddress) -> None:
        engine = self._engine()
        self._acceptors[address] = [
            Acceptor(sock, engine.reactor, engine.budget, _one, self._accepted)
            for sock in self._sockets[address]
        ]
        for acceptor in self._acceptors[address]:
            acceptor.start()
            self._log.info(
                "{what} listens on {address}",
                what=self._what,
                address=named(acceptor.sock),
            )

    def _accepted(self, sock: socket.socket, source: Address, local: Address) -> None:
        if len(self._clients) >= MOST:
            oldest = min(self._clients, key=lambda client: client.touched)
            self._clients.discard(oldest)
            oldest.abort()
        protocol = self._make(source, len(self._clients), self._clients.discard)
        with closing(sock), suppress(OSError):  # the client has gone already
            sock.setblocking(False)
            self._engine().reactor.adoptStreamConnection(
                sock.fileno(), sock.family, _Only(protocol)
            )
            self._clients.add(protocol)


class _Only(Factory):
    """Has one protocol, which is there already."""

    noisy = False

    def __init__(self, protocol: TwistedProtocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> TwistedProtocol:
        return self._protocol


def _one() -> int:
    """@return: how many descriptors a client needs."""
    return 1
