"""A control client's connection: read no faster than it reads, and closed in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from portmux.control.turns import Turns
from portmux.core.address import Host

PATIENCE: Final = 30.0
"""Seconds that a client may take to read something (taste)."""

LINGER: Final = 5.0
"""Seconds in which a client has the last reply, and ends, too (taste)."""


@implementer(IPushProducer)
class Flow:
    """
    @ivar paused: the client does not read; nothing is to be said to it.
    @ivar ended: the client says nothing more.
    @ivar closing: nothing is said, nor listened to, any more.
    """

    _log = Logger()

    def __init__(
        self, transport: Any, clock: Any, turns: Turns, go_on: Callable[[], None]
    ) -> None:
        """
        @param clock: calls later.
        @param turns: of all clients.
        @param go_on: called when it is this client's turn: there is something to do,
            or the client reads again.
        """
        self.paused = False
        self.ended = False
        self.closing = False
        self._transport = transport
        self._clock = clock
        self._turns = turns
        self._go_on = go_on
        self._stalled: IDelayedCall | None = None
        transport.registerProducer(self, True)

    # -- what the transport tells

    def pauseProducing(self) -> None:
        """The client does not read."""
        self.paused = True
        if self._stalled is None:
            self._stalled = self._clock.callLater(PATIENCE, self.abort)

    def resumeProducing(self) -> None:
        self.paused = False
        cancel(self._stalled)
        self._stalled = None
        self.take_turn()

    def stopProducing(self) -> None:
        """The connection is lost; C{over} will be called."""

    def end(self) -> None:
        """The client says nothing more."""
        self.ended = True
        if self.closing:
            self._transport.loseConnection()

    def over(self) -> None:
        """The connection is no more."""
        self.closing = True
        self._turns.drop(self._work)
        cancel(self._stalled)

    # -- what is done with it

    @property
    def peer(self) -> str:
        """Who it is, for the log."""
        peer = self._transport.getPeer()
        if isinstance(peer, IPv4Address | IPv6Address):
            return str(Host(peer.host, peer.port))
        return str(peer)

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def hold(self, held: bool) -> None:
        """@param held: read nothing for now."""
        if not self.closing and not self.ended:
            transport = self._transport
            (transport.pauseProducing if held else transport.resumeProducing)()

    def take_turn(self) -> None:
        """Go on when it is this client's turn, which may be now."""
        if not self.closing:
            self._turns.take(self._work, self._clock)

    def _work(self) -> None:
        """What goes wrong is this client's, whoever has its turn next."""
        if self.closing:
            return
        try:
            self._go_on()
        except Exception:
            self._log.failure("a client of control could not be served")
            self.abort()

    def close(self) -> None:
        """
        Once all is written; what still comes is dropped.

        To close while there is input that nobody has read would take the last
        reply with it. RFC 1122 section 4.2.2.13.
        """
        if self.closing:
            return
        self.closing = True
        self._transport.unregisterProducer()
        if self.ended:
            self._transport.loseConnection()
            return
        self._transport.loseWriteConnection()
        self._transport.resumeProducing()
        cancel(self._stalled)
        self._stalled = self._clock.callLater(LINGER, self.abort)

    def abort(self) -> None:
        """End it now."""
        self.closing = True
        self._transport.abortConnection()


def cancel(call: IDelayedCall | None) -> None:
    """Cancel a call that may have been made, or was never asked for."""
    if call is not None and call.active():
        call.cancel()
