"""
What the lane asks of whatever moves the bytes of an established pair.

A relay does as L{portmux.core.session.Session} decides, or as that would:

* An end of one side is passed on to the other, behind the bytes under way, and
  the other direction goes on. Ends of both sides are C{done}.
* A reset of one side is passed on to the other: C{client-lost}, C{backend-lost}.
* Without a byte for C{policy.idle} seconds the pair ends: C{idle-timeout}. Once
  one side has ended, for C{policy.half_close} seconds, if that is the shorter
  wait: C{half-close-timeout}. Both count from the last byte, or from the end of
  the side that ended.
* Unless it ends by a reset, what is under way gets
  L{portmux.core.session.LINGER} seconds to arrive, again and again while any of
  it does; then a reset takes the rest. A client that has not ended, and got
  something within that time, is told the end and may send on into nothing
  until it has ended too: to close while there is unread input would reset the
  connection and take what is under way with it. RFC 1122 section 4.2.2.13.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import SocketType
from typing import Protocol

from portmux.core.session import Session
from portmux.net.live import Live

Over = Callable[[Live], None]
"""Told once, when both sockets are closed and the session's counts are exact."""


class Relay(Protocol):
    """
    Has pairs in hand from their L{begin} until each is over.

    @ivar nested: watches pairs with the lane's own poller. For one that does
        not, the lane has forgotten the client's socket before C{begin}.
    """

    @property
    def nested(self) -> bool: ...

    def begin(
        self,
        session: Session,
        client: SocketType,
        backend: SocketType,
        rest: bytes,
        over: Over,
    ) -> Live:
        """
        Relay both ways from now on. C{over} is never called from within.

        @param session: its phase is C{RELAY}; C{sent} counts all that was sniffed,
            C{rest} included; C{half_closed} may be the client already. Its phase
            is C{CLOSE} and its end is told (L{Session.end}) before C{over}.
        @param client: the relay's own from now on, as is C{backend}; it may be in
            blocking mode. C{backend} never is.
        @param rest: of the client's bytes, what the backend is to have first.
        """

    def stop(self) -> None:
        """The last call: no pair is left."""
