"""One connection of a multiplexer to its target."""

from __future__ import annotations

import math
import socket
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.core.address import Unix
from portmux.core.mux.link import Link
from portmux.net.dial import Attempt, Dialer, Wanted
from portmux.net.stream import Stream

if TYPE_CHECKING:
    from portmux.net.mux import Hub

PROBES: Final = 3
"""Keepalive probes without an answer that end a connection (taste)."""


@implementer(IHalfCloseableProtocol)
class Upstream(Protocol):
    """Tells the hub what happens, until it is dropped."""

    transport: Stream
    _attempt: Attempt | None = None
    _dropped = False

    def __init__(self, hub: Hub, link: Link, poll: Any) -> None:
        """@param poll: watches the socket."""
        self._hub = hub
        self._link = link
        self._poll = poll

    def dial(self, dialer: Dialer, keepalive: float | None) -> None:
        """The hub is told how it went, perhaps at once."""
        self._keepalive = keepalive
        wanted = Wanted(b"", keepalive=keepalive is not None)
        address = self._link.backend.address
        self._attempt = dialer.dial(address, wanted, self._connected, self._failed)

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def drop(self, reset: bool) -> None:
        """Give it up, and tell nothing of it any more."""
        self._dropped = True
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
        if not self._dropped:
            self._dropped = True
            self._hub.lost(self._link, "reset by the target")

    def _connected(self, sock: socket.socket, sent: int) -> None:
        self._attempt = None
        if self._keepalive is not None and not isinstance(
            self._link.backend.address, Unix
        ):
            _probe(sock, self._keepalive)
        stream = Stream(sock, self, self._poll)
        self.makeConnection(stream)
        self._hub.connected(self._link)
        if not self._dropped:
            stream.startReading()

    def _failed(self, why: str) -> None:
        self._attempt = None
        self._dropped = True
        self._hub.lost(self._link, why)


def _probe(sock: socket.socket, after: float) -> None:
    """Have the system find out within twice the time that a silent peer is gone."""
    idle = max(1, math.ceil(after))
    every = max(1, math.ceil(after / PROBES))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, every)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
