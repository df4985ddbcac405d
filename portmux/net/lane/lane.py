"""
The engine for plain forwarding: it accepts, sniffs, connects and relays.

What the session wants beyond that is done by the Twisted engine, which is
given the client with the bytes seen so far, and the session.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from typing import TYPE_CHECKING

from twisted.logger import Logger

from portmux.core.address import Address
from portmux.core.effects import Effect
from portmux.core.policy import Policy
from portmux.core.session import Session
from portmux.net.dial import Dialer
from portmux.net.lane.link import Link
from portmux.net.lane.native import Native
from portmux.net.lane.pair import Pairs
from portmux.net.lane.pipes import Pipes
from portmux.net.lane.poller import Poller
from portmux.net.lane.relay import Relay
from portmux.net.live import Live

if TYPE_CHECKING:
    from portmux.net.engine import Engine


def missing() -> str | None:
    """@return: what the lane needs and this system does not have; None: nothing."""
    for module, name in ((select, "epoll"), (os, "splice")):
        if not hasattr(module, name):
            return f"{module.__name__}.{name}"
    return None


class Lane:
    """
    What is ready at the same time is done in stages: first all clients are let
    in, then all are read from and decided, then all dial, then all relay; and all
    that have ended are counted and recorded together. Doing the same again and
    again takes the processor half of the time that it needs for one connection
    after the other (measured).

    @ivar seconds: the reactor's time.
    """

    _log = Logger()

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.seconds: Callable[[], float] = engine.reactor.seconds
        self.deadlines = engine.deadlines
        self.poller = Poller(engine.reactor, self._go_through)
        self.dialer = Dialer(engine.reactor, self.poller)
        self._in_python = Pairs(self.poller, self.deadlines, Pipes(engine.budget))
        self._in_c = Native(self.poller, engine.budget)
        self.relay: Relay = self._in_python
        self._fresh: list[Link] = []
        self._dialled: list[Link] = []
        self._gone: list[Live] = []
        self._counts = False
        self._told = self.over  # one for all; a method is made whenever it is named

    def use(self, in_c: bool) -> None:
        """Have pairs relayed so from now on; live ones stay where they are."""
        self.relay = self._in_c if in_c else self._in_python

    def accept(
        self, sock: socket, source: Address, local: Address, policy: Policy
    ) -> None:
        """Begin a session on a client's connected socket."""
        link = Link(self, Session(policy, source, local, self.seconds()), sock)
        self._engine.begun(link)
        self._fresh.append(link)
        if not self.poller.busy:
            self._go_through()

    def dialled(self, link: Link) -> None:
        """Its backend is there: L{Link.relay} has its turn."""
        self._dialled.append(link)
        if not self.poller.busy:
            self._go_through()

    def over(self, live: Live) -> None:
        """Its sockets are closed."""
        self._gone.append(live)
        if not (self.poller.busy or self._counts):
            self._go_through()

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
        pair = self.relay.begin(link.session, client, backend, rest, self._told)
        self._engine.replace(link, pair)

    def stop(self) -> None:
        """The last call: no session is live."""
        self._in_python.stop()
        self._in_c.stop()
        self.poller.stop()

    def catch_up(self, wait: bool = True) -> None:
        """
        Count what a thread has found to be over, and nobody was told of yet.

        @param wait: for what it is about to find.
        """
        self._counts = True
        try:
            self._in_c.catch_up(wait)
        finally:
            self._counts = False
        self._end()

    def _end(self) -> None:
        gone, self._gone = self._gone, []
        for live in gone:
            try:
                self._engine.over(live)
            except Exception:
                number = live.session.number
                self._log.failure("session {number} was not ended", number=number)

    def _go_through(self) -> None:
        if self._gone:
            self._end()
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            for stage in (Link.open, Link.read, Link.carry):
                _for_all(fresh, stage)
        if self._dialled:
            dialled, self._dialled = self._dialled, []
            _for_all(dialled, Link.relay)
        if self._gone:  # some of them already
            self._go_through()


def _for_all(links: list[Link], stage: Callable[[Link], None]) -> None:
    for link in links:
        try:
            stage(link)
        except Exception:
            with suppress(Exception):  # it has told what was wrong
                link.fail()
