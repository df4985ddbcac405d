"""
A plain stream socket as a Twisted transport that does not dawdle.

Stock transports queue every write, half-close and close until the reactor
comes round again: two system calls and a dispatch more each time. L{Stream}
does at once what can be done at once, and leaves the rest to its base class.
"""

from __future__ import annotations

import socket
from typing import Any, Final

from twisted.internet import main
from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IPushProducer,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.net.poll import Poll

RECEIVE: Final = 65536
"""Octets taken at a time; more is slower for single streams (measured)."""

_DONE: Final = Failure(main.CONNECTION_DONE)
_LOST: Final = Failure(main.CONNECTION_LOST)


class IStream(ITCPTransport, IPushProducer, IConsumer):
    """What a stream transport really provides: all three at once."""


@implementer(IStream)
class Stream(Connection):
    """A connected socket. Reads nothing before C{resumeProducing} or L{take}."""

    _base = Connection
    logstr = "-"
    _shouldShutdown = False  # close() says it all: nobody shares our descriptors
    _tlsClientDefault = False  # C{startTLS} makes us the server, as clients expect
    bufferSize = RECEIVE
    _watched = False

    def __init__(self, sock: socket.socket, protocol: Protocol, reactor: Any) -> None:
        """
        @param sock: connected and non-blocking.
        @param protocol: must be half-closeable.
        """
        # What the base class does, but for a system call: it is non-blocking.
        FileDescriptor.__init__(self, reactor)
        self.socket = sock
        self.fileno = sock.fileno
        self.protocol = protocol
        self.connected = 1

    def getHost(self) -> Any:
        return _address(self.socket.family, self.socket.getsockname())

    def getPeer(self) -> Any:
        return _address(self.socket.family, self.socket.getpeername())

    def take(self) -> bytes | None:
        """
        Read now, without asking the reactor whether there is something.

        @return: what was there; empty at the peer's end; None if nothing has
            come, or if the connection turned out to be lost (and was told so).
        """
        try:
            return self.socket.recv(self.bufferSize)
        except BlockingIOError:
            return None
        except OSError:
            self.connectionLost(_LOST)
            return None

    def doRead(self) -> Any:
        try:
            data = self.socket.recv(self.bufferSize)
        except BlockingIOError:
            return None
        except OSError:
            return main.CONNECTION_LOST
        if data:
            self.protocol.dataReceived(data)
        else:
            # What the reactor would do on being told, without its detour; last
            # because mostly both sides have ended, and nothing is left to stop.
            self.readConnectionLost(_DONE)
            if self.connected:
                self.stopReading()
        return None

    def doWrite(self) -> Any:
        # What was read just before, at the same wake-up, may have closed us.
        return super().doWrite() if self.connected else None

    def startReading(self) -> None:
        self._watched = True
        self.reactor.addReader(self)

    def startWriting(self) -> None:
        self._watched = True
        self.reactor.addWriter(self)

    def connectionLost(self, reason: Failure) -> None:
        """What the base classes do, without asking what is known here."""
        if self.disconnected:
            return
        self.disconnected, self.connected = 1, 0
        self.producer = None  # the session says what follows for it
        if self._watched:
            if isinstance(self.reactor, Poll):
                self.reactor.forget(self)
            else:
                self.stopReading()
                self.stopWriting()
        self._closeSocket(not is_a(reason, ConnectionAborted))
        protocol = self.protocol
        del self.protocol, self.socket, self.fileno
        protocol.connectionLost(reason)

    def write(self, data: bytes) -> None:
        # A pull producer is asked for more only from where the reactor writes.
        pulled = self.producer is not None and not self.streamingProducer
        if self._can_act() and not self._writeDisconnected and not pulled:
            try:
                sent = self.socket.send(data)
            except OSError:
                sent = 0  # no room, or lost: the reactor will find out which
            if sent == len(data):
                return
            data = data[sent:]
        super().write(data)

    def loseConnection(self) -> None:
        if self._can_act():
            self.connectionLost(_DONE)
        else:
            super().loseConnection()

    def end(self, reset: bool = False) -> None:
        """Close after what is queued; or with C{reset} at once, by RST."""
        if self.producer is not None:
            self.unregisterProducer()
        if reset:
            self.abortConnection()
        else:
            self.loseConnection()

    def loseWriteConnection(self) -> None:
        if self._can_act():
            self._writeDisconnected = True
            self._closeWriteConnection()
        elif self.connected:
            super().loseWriteConnection()

    def readConnectionLost(self, reason: Failure) -> None:
        if self.TLS:
            super().readConnectionLost(reason)
        else:
            self.protocol.readConnectionLost()  # type: ignore[attr-defined] # see __init__

    def stopProducing(self) -> None:
        """A consumer of ours was lost: the session says what follows from it."""

    def _closeWriteConnection(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the peer has reset; reading tells it

    def _can_act(self) -> bool:
        """Whether nothing is queued that would have to go first."""
        return bool(
            self.connected
            and not self.TLS
            and not self.disconnecting
            and not self._writeDisconnecting
            and not self._tempDataLen
            and not self.dataBuffer
        )


def is_a(reason: Failure, kind: type[Exception]) -> bool:
    """@return: what C{reason.check} tells, for one kind and at a tenth of the price."""
    return reason.type is not None and issubclass(reason.type, kind)


def _address(family: int, name: Any) -> IAddress:
    if family == socket.AF_UNIX:
        return UNIXAddress(name or None)
    kind = IPv6Address if family == socket.AF_INET6 else IPv4Address
    return kind("TCP", *name[:2])
