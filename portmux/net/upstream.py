"""One connection of a multiplexer to its target."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.core.address import Unix
from portmux.core.effects import Dial
from portmux.core.mux.link import Link
from portmux.net.dial import Wanted
from portmux.net.secure import Attempt, Secure, attach, has_ended
from portmux.net.stream import Stream

if TYPE_CHECKING:
    from portmux.net.engine import Engine
    from portmux.net.mux import Hub

PROBES: Final = 3
"""Keepalive probes without an answer that end a connection (taste)."""


@implementer(IHalfCloseableProtocol)
class Upstream(Protocol):
    """
    Tells the hub what happens, until it is dropped.

    @ivar write: sends to the target, once that is there.
    """

    transport: Stream
    write: Callable[[bytes], None]
    _attempt: Attempt | None = None
    _settled = False
    _taken = False
    _dropped = False

    def __init__(self, hub: Hub, link: Link, engine: Engine) -> None:
        self._hub = hub
        self._link = link
        self._engine = engine

    def dial(self, keepalive: float | None) -> None:
        """The hub is told how it went, perhaps at once."""
        self._keepalive = keepalive
        self._engine.budget.take(1)
        self._taken = True
        link = self._link
        attempt = self._engine.reacher.reach(
            Dial(link.backend.address, link.reach),
            Wanted(b"", keepalive=keepalive is not None),
            self._connected,
            self._secured,
            self._failed,
        )
        if not self._settled:
            self._attempt = attempt

    def drop(self, reset: bool) -> None:
        """Give it up, and tell nothing of it any more."""
        self._end()
        if self._attempt is not None:
            self._attempt.cancel()
        elif reset:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    # -- what happens

    def dataReceived(self, data: bytes) -> None:
        if not self._dropped:
            self._hub.arrived(self._link, data)

    def readConnectionLost(self) -> None:
        if not self._dropped:
            self._hub.ended(self._link)

    def writeConnectionLost(self) -> None:
        """Only this side could do that, and does not."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._dropped:
            return
        if has_ended(self.transport):
            self._hub.ended(self._link)
        if not self._dropped:
            self._end()
            self._hub.lost(self._link, "reset by the target")

    def _connected(self, sock: socket.socket, sent: int) -> None:
        self._watch(sock)
        stream = Stream(sock, self, self._engine.poll)
        self.makeConnection(stream)
        self._begin()
        if not self._dropped:
            stream.startReading()

    def _secured(self, stream: Stream) -> None:
        self._watch(cast(Secure, stream).transport.socket)
        attach(stream, self)
        self._begin()

    def _begin(self) -> None:
        self._settled, self._attempt = True, None
        self.write = self.transport.write
        self._hub.connected(self._link)

    def _watch(self, sock: socket.socket) -> None:
        """Have the system find out within twice the time that a peer is gone."""
        after = self._keepalive
        if after is None or isinstance(self._link.backend.address, Unix):
            return
        every = max(1, math.ceil(after / PROBES))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, math.ceil(after))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, every)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)

    def _end(self) -> None:
        """Nothing is told any more, and its descriptor is for others."""
        self._dropped = True
        if self._taken:
            self._taken = False
            self._engine.budget.give(1)

    def _failed(self, why: str) -> None:
        self._settled, self._attempt = True, None
        self._end()
        self._hub.lost(self._link, why)
