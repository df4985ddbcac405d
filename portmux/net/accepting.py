"""Where a service accepts: its listening sockets, by address."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.logger import Logger

from portmux.core.address import Address, BindAddress
from portmux.net.accept import Acceptor
from portmux.net.listen import named, shut


class Accepting:
    """Owns listening sockets, and accepts on them between L{start} and L{stop}."""

    def __init__(
        self,
        what: str,
        log: Logger,
        acceptor: Callable[[BindAddress, socket.socket], Acceptor],
        left: Callable[[BindAddress], None] = lambda address: None,
    ) -> None:
        """
        @param what: it is that listens, for the log.
        @param log: the service's.
        @param acceptor: makes one; not called before L{start}, as the process may
            fork until then.
        @param left: told where nothing is accepted any more.
        """
        self._what = what
        self._log = log
        self._acceptor = acceptor
        self._left = left
        self._on = False
        self._sockets: dict[BindAddress, list[socket.socket]] = {}
        self._acceptors: dict[BindAddress, list[Acceptor]] = {}

    def add(self, address: BindAddress, sockets: list[socket.socket]) -> None:
        """Own the listening sockets of an address from now on."""
        self._sockets[address] = sockets
        if self._on:
            self._accept_on(address)

    def remove(self, address: BindAddress) -> list[socket.socket]:
        """Accept there no more. @return: its sockets, still listening."""
        for acceptor in self._acceptors.pop(address, []):
            acceptor.stop()
        self._left(address)
        return self._sockets.pop(address)

    def sockets(self, address: BindAddress) -> list[socket.socket]:
        """@return: those of an address that is one of these."""
        return self._sockets[address]

    def addresses(self) -> list[Address]:
        """@return: all that it waits on, with the ports that the system chose."""
        return [named(sock) for sockets in self._sockets.values() for sock in sockets]

    def start(self) -> None:
        self._on = True
        for address in self._sockets:
            self._accept_on(address)

    def stop(self) -> None:
        """Close all sockets."""
        for address in list(self._sockets):
            for sock in self.remove(address):
                shut(sock)
        self._on = False

    def renew(self) -> None:
        """Accept by new acceptors: the old ones would do what was right before."""
        for address, acceptors in self._acceptors.items():
            for acceptor in acceptors:
                acceptor.stop()
            self._start(address)

    def _accept_on(self, address: BindAddress) -> None:
        self._start(address)
        for acceptor in self._acceptors[address]:
            self._log.info(
                "{what} listens on {address}",
                what=self._what,
                address=named(acceptor.sock),
            )

    def _start(self, address: BindAddress) -> None:
        self._acceptors[address] = [
            self._acceptor(address, sock) for sock in self._sockets[address]
        ]
        for acceptor in self._acceptors[address]:
            acceptor.start()
