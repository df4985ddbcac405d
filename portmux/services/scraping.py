"""What answers to those who read the metrics, as a service."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.application.service import Service
from twisted.logger import Logger

from portmux.core.address import Address, BindAddress, Unix
from portmux.net.accept import Acceptor
from portmux.net.accepting import Accepting
from portmux.net.engine import Engine
from portmux.net.scrape import Render, Scraped


class ScrapingService(Service):
    """
    Answers while it runs; whoever reads in the end is cut off.

    @ivar token: what clients by TCP have to say; None: nothing.
    @ivar accepting: where it answers; that may be nowhere.
    """

    _log = Logger()

    def __init__(self, render: Render, engine: Callable[[], Engine]) -> None:
        """@param engine: asked when first needed, after the process has forked."""
        self.token: bytes | None = None
        self._render = render
        self._engine = engine
        self._scraped: dict[BindAddress, Scraped] = {}
        self.accepting = Accepting(
            "metrics.prometheus", self._log, self._acceptor, self._left
        )

    def startService(self) -> None:
        super().startService()
        self.accepting.start()

    def stopService(self) -> None:
        self.accepting.stop()
        super().stopService()

    def _acceptor(self, address: BindAddress, sock: socket.socket) -> Acceptor:
        engine = self._engine()
        if address not in self._scraped:
            self._scraped[address] = self._answering(engine, address)
        scraped = self._scraped[address]

        def accepted(sock: socket.socket, source: Address, local: Address) -> None:
            scraped.accept(sock)

        return engine.acceptor_of_others(sock, accepted)

    def _answering(self, engine: Engine, address: BindAddress) -> Scraped:
        trusted = isinstance(address, Unix)  # whoever may open its file

        def token() -> bytes | None:
            return None if trusted else self.token

        return Scraped(engine.reactor, self._render, token)

    def _left(self, address: BindAddress) -> None:
        if address in self._scraped:
            self._scraped.pop(address).stop()
