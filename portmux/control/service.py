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
from portmux.net.accepting import Accepting
from portmux.net.engine import Engine

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
    """
    Serves clients while it runs; whoever is there in the end is cut off.

    @ivar accepting: where it serves; that may be nowhere.
    """

    _log = Logger()

    def __init__(self, what: str, make: Make, engine: Callable[[], Engine]) -> None:
        """
        @param what: the option's path, for the log.
        @param engine: asked when first needed, after the process has forked.
        """
        self._make = make
        self._engine = engine
        self._clients: set[Client] = set()
        self.accepting = Accepting(what, self._log, self._acceptor)

    def startService(self) -> None:
        super().startService()
        self.accepting.start()

    def stopService(self) -> None:
        self.accepting.stop()
        for client in list(self._clients):
            client.abort()
        super().stopService()

    def _acceptor(self, address: BindAddress, sock: socket.socket) -> Acceptor:
        return self._engine().acceptor_of_others(sock, self._accepted)

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
