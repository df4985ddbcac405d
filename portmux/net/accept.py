"""
Accept clients of one listening socket, many at a wake-up.

Twisted's own port closes clients when descriptors run out; this one stops
accepting, lets them wait in the kernel's backlog, and goes on afterwards.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Final, cast

from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.core.address import Address, Host, Unix
from portmux.net.descriptors import Budget

BATCH: Final = 64
"""Clients accepted before other work has its turn (taste)."""

PAUSE: Final = 1.0
"""Seconds until another try when nobody at all can be accepted (taste)."""

WARNING: Final = 10.0
"""Seconds between two warnings that accepting pauses (taste)."""

_ITS_OWN: Final = {
    errno.ECONNABORTED,
    errno.EPERM,
    errno.EPROTO,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENONET,
}
"""Failures of the connection that was to be accepted. accept(2)."""

_STREAM: Final = int(socket.SOCK_STREAM)  # an enumeration is slow to calculate with

Accepted = Callable[[socket.socket, Address, Address], None]
"""Given a client's socket, in blocking mode, its address and the local one."""


@implementer(IReadDescriptor)
class Acceptor:
    """One listening socket; accepts between L{start} and L{stop}."""

    _log = Logger()

    def __init__(
        self,
        sock: socket.socket,
        reactor: Any,
        budget: Budget,
        descriptors: Callable[[], int],
        accepted: Accepted,
    ) -> None:
        """@param descriptors: how many a client may need, its own included."""
        self.sock = sock
        self._reactor = reactor
        self._budget = budget
        self._descriptors = descriptors
        self._accepted = accepted
        self._family = int(sock.family)  # asking a socket is slow
        # What accept() calls, which then makes more of a socket than is needed.
        self._accept: Callable[[], tuple[int, Any]] = sock._accept  # type: ignore[attr-defined] # typeshed has public names only
        self._local = _fixed(sock)
        self._on = False
        self._pause: IDelayedCall | None = None
        self._warned = -WARNING

    def start(self) -> None:
        self._on = True
        self._reactor.addReader(self)

    def stop(self) -> None:
        """Accept no more; the socket goes on listening until it is closed."""
        self._on = False
        self._reactor.removeReader(self)
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def fileno(self) -> int:
        return self.sock.fileno()

    def logPrefix(self) -> str:
        return "-"

    def connectionLost(self, reason: Failure) -> None:
        self._log.error(
            "{address} was closed: {why}",
            address=self._local,
            why=reason.getErrorMessage(),
        )

    def doRead(self) -> None:
        need = self._descriptors()
        for _ in range(BATCH):
            if not self._budget.allows(need):
                self._wait("every allowed descriptor is in use", None)
                return
            try:
                descriptor, peer = self._accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _ITS_OWN:
                    continue  # that client has gone already
                self._wait(os.strerror(error.errno or errno.EIO), PAUSE)
                return
            sock = bare(self._family, 0, descriptor)
            self._accepted(sock, _address(self._family, peer), self._local_of(sock))
            if not self._on:
                return

    def _wait(self, why: str, pause: float | None) -> None:
        """@param pause: seconds to wait, where a session's end may not come."""
        self._reactor.removeReader(self)
        if pause is None:
            self._budget.wait(self._resume)
        else:
            self._pause = self._reactor.callLater(pause, self._resume)
        now = self._reactor.seconds()
        if now - self._warned >= WARNING:
            self._warned = now
            self._log.warn("accepting pauses: {why}", why=why.lower())

    def _resume(self) -> None:
        self._pause = None
        if self._on:
            self._reactor.addReader(self)

    def _local_of(self, sock: socket.socket) -> Address:
        """Where the client connected to: asked only where it can differ."""
        if self._local is not None:
            return self._local
        try:
            return _address(self._family, sock.getsockname())
        except OSError:
            return _address(self._family, self.sock.getsockname())


def bare(family: int, flags: int = 0, descriptor: int | None = None) -> socket.socket:
    """
    @return: a stream socket without what Python adds in C{socket.socket} (files,
        enumerations, C{with}): at half the price.
    @raise OSError: there is none to be had.
    """
    made = socket.SocketType(family, _STREAM | flags, 0, descriptor)
    return cast(socket.socket, made)


def _fixed(sock: socket.socket) -> Address | None:
    """@return: the listening address; None for a wildcard."""
    address = _address(sock.family, sock.getsockname())
    wildcard = isinstance(address, Host) and address.host in ("0.0.0.0", "::")
    return None if wildcard else address


def _address(family: int, name: Any) -> Address:
    if family == socket.AF_UNIX:
        return Unix(name if isinstance(name, str) else "")
    return Host(name[0], name[1])
