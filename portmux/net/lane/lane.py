"""
The engine for plain forwarding: it accepts, sniffs, connects and relays.

What the session wants beyond that is done by the Twisted engine, which is
given the client with the bytes seen so far, and the session.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from socket import socket
from typing import TYPE_CHECKING

from portmux.core.address import Address
from portmux.core.effects import Effect
from portmux.core.policy import Policy
from portmux.core.session import Session
from portmux.net.dial import Dialer
from portmux.net.lane.link import Link
from portmux.net.lane.pair import Pairs
from portmux.net.lane.poller import Poller
from portmux.net.lane.relay import Relay

if TYPE_CHECKING:
    from portmux.net.engine import Engine


def missing() -> str | None:
    """@return: what the lane needs and this system does not have; None: nothing."""
    for module, name in ((select, "epoll"), (os, "splice")):
        if not hasattr(module, name):
            return f"{module.__name__}.{name}"
    return None


class Lane:
    """@ivar seconds: the reactor's time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.seconds: Callable[[], float] = engine.reactor.seconds
        self.deadlines = engine.deadlines
        self.poller = Poller(engine.reactor)
        self.dialer = Dialer(engine.reactor, self.poller)
        self.relay: Relay = Pairs(self.poller, self.deadlines)
        self.over = engine.over

    def accept(
        self, sock: socket, source: Address, local: Address, policy: Policy
    ) -> None:
        """Begin a session on a client's connected socket."""
        session = Session(policy, source, local, self.seconds())
        link = Link(self, session, sock)
        self._engine.begun(link)
        try:
            link.begin()
        except Exception:
            link.fail()

    def adopt(self, link: Link, effect: Effect, sock: socket) -> None:
        """The Twisted engine has the client from now on."""
        if link.watched:
            self.poller.forget(sock.fileno())
        self._engine.adopt(link, effect, sock)

    def relay_from(
        self, link: Link, client: socket, backend: socket, rest: bytes
    ) -> None:
        """The relay has both sockets from now on."""
        if link.watched and not self.relay.nested:
            self.poller.forget(client.fileno())
        pair = self.relay.begin(link.session, client, backend, rest, self.over)
        self._engine.replace(link, pair)

    def stop(self) -> None:
        """The last call: no session is live."""
        self.relay.stop()
        self.poller.stop()
