"""One configured listener: where it accepts, and the policy of its sessions."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.application.service import Service
from twisted.logger import Logger

from portmux.core.address import BindAddress
from portmux.core.policy import Policy
from portmux.net.accept import Acceptor
from portmux.net.accepting import Accepting
from portmux.net.engine import Engine


class ListenerService(Service):
    """
    Accepts while it runs; live sessions then go on: they are the engine's.

    @ivar policy: of the sessions to come; live ones keep theirs.
    @ivar accepting: where it does; when the engine has changed, that is to be told.
    """

    _log = Logger()

    def __init__(self, name: str, policy: Policy, engine: Callable[[], Engine]) -> None:
        """@param engine: asked when first needed, after the process has forked."""
        self.setName(name)
        self._policy = policy
        self._engine = engine
        self.accepting = Accepting(name, self._log, self._acceptor)

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

    def startService(self) -> None:
        super().startService()
        self._start_lasting()
        self.accepting.start()

    def stopService(self) -> None:
        self.accepting.stop()
        for _, lasting in self.policy.lasting():
            lasting.retire()
        super().stopService()

    def _acceptor(self, address: BindAddress, sock: socket.socket) -> Acceptor:
        return self._engine().acceptor(sock, lambda: self.policy)
