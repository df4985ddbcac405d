"""Answer HTTP requests for the metrics."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.web.http import NOT_ALLOWED, NOT_FOUND, UNAUTHORIZED, Request
from twisted.web.resource import Resource
from twisted.web.server import Request as SiteRequest
from twisted.web.server import Site

from portmux.core.address import Host
from portmux.core.token import bearer, is_token

MOST: Final = 8
"""Connections at a time; more are closed at once (taste: half of the spare files)."""

PATIENCE: Final = 90.0
"""Seconds that a connection may rest: more than the usual minute between two
scrapes."""

PATH: Final = b"/metrics"

Render = Callable[[str], tuple[bytes, str]]
"""Given what a client accepts, says all numbers, and of what type the text is."""


class Scraped:
    """The connections of those who read."""

    def __init__(
        self, reactor: Any, render: Render, token: Callable[[], bytes | None]
    ) -> None:
        """@param token: what clients have to say; None: nothing."""
        self._reactor = reactor
        self._site = Site(
            _Page(render, token), _Request, timeout=PATIENCE, reactor=reactor
        )
        self._open: list[Any] = []

    def accept(self, sock: socket.socket) -> None:
        """Answer a client; its socket is ours from here on."""
        self._open = [one for one in self._open if one.connected]
        with closing(sock):
            if len(self._open) >= MOST:
                return
            sock.setblocking(False)
            with suppress(OSError):  # the client has gone already
                self._open.append(
                    self._reactor.adoptStreamConnection(
                        sock.fileno(), sock.family, self._site
                    )
                )

    def stop(self) -> None:
        """Close every connection."""
        for transport in self._open:
            if transport.connected:
                transport.abortConnection()
        self._open = []


class _Request(SiteRequest):
    def handleContentChunk(self, data: bytes) -> None:
        """No request needs a body: what is sent is dropped."""


def _named(peer: IAddress) -> str:
    if isinstance(peer, IPv4Address | IPv6Address):
        return str(Host(peer.host, peer.port))
    return str(peer)


class _Page(Resource):
    isLeaf = True
    _log = Logger()

    def __init__(self, render: Render, token: Callable[[], bytes | None]) -> None:
        super().__init__()
        self._render = render
        self._token = token

    def render(self, request: Request) -> bytes:
        request.setHeader(b"server", b"portmux")
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        token = self._token()
        said = bearer(request.getHeader("authorization") or "")
        if token is not None and not is_token(said, token):
            if said:
                peer = _named(request.getClientAddress())
                self._log.warn("metrics: {peer} said a wrong token", peer=peer)
            request.setResponseCode(UNAUTHORIZED)
            request.setHeader(b"www-authenticate", b"Bearer")
            return b"say the token\n"
        if request.path != PATH:
            request.setResponseCode(NOT_FOUND)
            return b"the metrics are at %s\n" % PATH
        if request.method not in (b"GET", b"HEAD"):
            request.setResponseCode(NOT_ALLOWED)
            request.setHeader(b"allow", b"GET, HEAD")
            return b"the metrics can only be read\n"
        text, kind = self._render(request.getHeader("accept") or "")
        request.setHeader(b"content-type", kind.encode("ascii"))
        return text
