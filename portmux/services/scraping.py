"""What answers to those who read the metrics, as a service."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.application.service import Service
from twisted.logger import Logger

from portmux.core.address import Address, BindAddress, Unix
from portmux.net.accept import Acceptor
from portmux.net.engine import Engine
from portmux.net.listen import named, shut
from portmux.net.scrape import Render, Scraped


class ScrapingService(Service):
    """
    Answers on its sockets while it runs; it may have none.

    @ivar token: what clients by TCP have to say; None: nothing.
    """

    _log = Logger()

    def __init__(self, render: Render, engine: Callable[[], Engine]) -> None:
        """@param engine: asked when first needed, after the process has forked."""
        self.token: bytes | None = None
        self._render = render
        self._engine = engine
        self._sockets: dict[BindAddress, list[socket.socket]] = {}
        self._acceptors: dict[BindAddress, list[Acceptor]] = {}
        self._scraped: dict[BindAddress, Scraped] = {}

    def add(self, address: BindAddress, sockets: list[socket.socket]) -> None:
        """Own the listening sockets of an address from now on."""
        self._sockets[address] = sockets
        if self.running:
            self._answer_on(address)

    def remove(self, address: BindAddress) -> list[socket.socket]:
        """Answer there no more. @return: its sockets, still listening."""
        for acceptor in self._acceptors.pop(address, []):
            acceptor.stop()
        if address in self._scraped:
            self._scraped.pop(address).stop()
        return self._sockets.pop(address)

    def sockets(self, address: BindAddress) -> list[socket.socket]:
        """@return: those of an address that is this service's."""
        return self._sockets[address]

    def startService(self) -> None:
        super().startService()
        for address in self._sockets:
            self._answer_on(address)

    def stopService(self) -> None:
        """Whoever reads just now is cut off."""
        for address in list(self._sockets):
            for sock in self.remove(address):
                shut(sock)
        super().stopService()

    def _answer_on(self, address: BindAddress) -> None:
        engine = self._engine()
        trusted = isinstance(address, Unix)  # whoever may open its file

        def token() -> bytes | None:
            return None if trusted else self.token

        scraped = self._scraped[address] = Scraped(engine.reactor, self._render, token)

        def accepted(sock: socket.socket, source: Address, local: Address) -> None:
            scraped.accept(sock)

        self._acceptors[address] = [
            Acceptor(sock, engine.poll, engine.budget, _one, accepted)
            for sock in self._sockets[address]
        ]
        for acceptor in self._acceptors[address]:
            acceptor.start()
            self._log.info(
                "metrics.prometheus listens on {address}", address=named(acceptor.sock)
            )


def _one() -> int:
    """@return: how many descriptors one that reads needs."""
    return 1
