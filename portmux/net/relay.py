"""Both directions between a client and its backend, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.net.closing import unsent
from portmux.net.secure import broken, has_ended
from portmux.net.stream import Stream

if TYPE_CHECKING:
    from portmux.net.front import Front


class Pipe:
    """The sink that passes a client's bytes on to its backend."""

    def __init__(self, to: Stream) -> None:
        self._to = to

    def received(self, data: bytes) -> None:
        self._to.write(data)

    def ended(self) -> None:
        """The session says what follows from it."""

    def lost(self) -> None:
        """The session says what follows from it."""


def couple(one: Stream, other: Stream) -> None:
    """Have each read only as fast as what it read is taken by the other's peer."""
    one.registerProducer(other, True)
    other.registerProducer(one, True)


@implementer(IHalfCloseableProtocol)
class Back(Protocol):
    """
    The backend's side of a relay.

    @ivar gone: its connection is over.
    """

    transport: Stream
    gone = False

    def __init__(self, front: Front) -> None:
        self._front = front
        self._session = front.session
        self._to = front.transport
        self._seconds: Callable[[], float] = front.engine.reactor.seconds

    def dataReceived(self, data: bytes) -> None:
        session = self._session
        session.received += len(data)
        session.touched = self._seconds()
        self._to.write(data)

    def readConnectionLost(self) -> None:
        self._front.back_finished()

    def writeConnectionLost(self) -> None:
        """Our own half-close; the other direction goes on."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True
        session = self._session
        # On TLS, what is unsent is no longer the client's octets, and may be more.
        session.sent = max(0, session.sent - unsent(self.transport))
        why = broken(reason)
        if has_ended(self.transport) and not why:
            self._front.back_ended()
        else:
            self._front.back_lost(why)
