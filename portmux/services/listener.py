"""One configured listener: its sockets, and the policy of its sessions."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.application.service import Service
from twisted.logger import Logger

from portmux.core.address import Address, BindAddress
from portmux.core.policy import Policy
from portmux.net.accept import Acceptor
from portmux.net.engine import Engine
from portmux.net.listen import named, shut


class ListenerService(Service):
    """
    Accepts on its sockets while it runs.

    @ivar policy: of the sessions to come; live ones keep theirs.
    """

    _log = Logger()

    def __init__(self, name: str, policy: Policy, engine: Callable[[], Engine]) -> None:
        """@param engine: asked when first needed, after the process has forked."""
        self.setName(name)
        self._policy = policy
        self._engine = engine
        self._sockets: dict[BindAddress, list[socket.socket]] = {}
        self._acceptors: dict[BindAddress, list[Acceptor]] = {}

    @property
    def policy(self) -> Policy:
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        before, self._policy = self._policy, policy
        if self.running:
            kept = [lasting for _, lasting in policy.lasting()]
            for _, lasting in before.lasting():
                if lasting not in kept:
                    lasting.retire()
            self._start_lasting()

    def _start_lasting(self) -> None:
        for _, lasting in self.policy.lasting():
            lasting.start(self._engine())

    def add(self, address: BindAddress, sockets: list[socket.socket]) -> None:
        """Own the listening sockets of an address from now on."""
        self._sockets[address] = sockets
        if self.running:
            self._accept_on(address)

    def remove(self, address: BindAddress) -> list[socket.socket]:
        """Accept there no more. @return: its sockets, still listening."""
        for acceptor in self._acceptors.pop(address, []):
            acceptor.stop()
        return self._sockets.pop(address)

    def sockets(self, address: BindAddress) -> list[socket.socket]:
        """@return: those of an address that is this listener's."""
        return self._sockets[address]

    def addresses(self) -> list[Address]:
        """@return: all that it waits on, with the ports that the system chose."""
        return [named(sock) for sockets in self._sockets.values() for sock in sockets]

    def startService(self) -> None:
        super().startService()
        self._start_lasting()
        for address in self._sockets:
            self._accept_on(address)

    def stopService(self) -> None:
        """Live sessions go on: they are the engine's."""
        for address in list(self._sockets):
            for sock in self.remove(address):
                shut(sock)
        for _, lasting in self.policy.lasting():
            lasting.retire()
        super().stopService()

    def accept_anew(self) -> None:
        """The engine has changed."""
        for address, acceptors in self._acceptors.items():
            for acceptor in acceptors:
                acceptor.stop()
            self._start(address)

    def _accept_on(self, address: BindAddress) -> None:
        self._start(address)
        for acceptor in self._acceptors[address]:
            self._log.info(
                "{listener} listens on {address}",
                listener=self.name,
                address=named(acceptor.sock),
            )

    def _start(self, address: BindAddress) -> None:
        engine = self._engine()
        self._acceptors[address] = [
            engine.acceptor(sock, lambda: self.policy)
            for sock in self._sockets[address]
        ]
        for acceptor in self._acceptors[address]:
            acceptor.start()
