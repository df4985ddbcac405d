"""JSON-RPC over HTTP/1.1: POST, and the way to a WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import attrs
import h11
from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.control import commands, jsonrpc
from portmux.control.access import refusal
from portmux.control.desk import Desk
from portmux.control.flow import Flow, cancel
from portmux.control.handling import IMPOSSIBLE
from portmux.control.running import run
from portmux.control.websocket import WebSocket
from portmux.core.token import bearer
from portmux.errors import CommandError

LIMIT: Final = 1 << 20
"""Octets of a request's body (taste: plexy takes ten times as much, for nothing)."""

HEAD: Final = 1 << 14
"""Octets of a request's head (taste)."""

AHEAD: Final = 1 << 16
"""Octets that a client may send before it has the answer to the first (taste)."""

REQUEST: Final = 60.0
"""Seconds until a request is there whole, from the answer before (taste)."""

TOO_LARGE: Final = -32007
"""plexy's code for a body beyond the limit."""

_JSON: Final = (b"application/json", b"application/json;charset=utf-8")

_BLANK: Final = 128
"""Octets of blanks that may stand before JSON: plexy's limit."""


@attrs.frozen
class Answer:
    """@ivar last: the connection ends with it."""

    status: int
    body: bytes
    kind: bytes = b"text/plain; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    last: bool = False


@implementer(IHalfCloseableProtocol)
class HttpSession(Protocol):
    """
    One client.

    @ivar touched: when it last sent something.
    """

    _log = Logger()
    _flow: Flow

    def __init__(
        self,
        desk: Desk,
        clock: Any,
        trusted: bool,
        crowded: bool,
        left: Callable[[Any], None],
    ) -> None:
        """
        @param clock: counts seconds, and calls later.
        @param trusted: nobody asks this client for anything.
        @param crowded: there are too many clients to serve this one.
        @param left: told when the connection is over.
        """
        self.touched: float = clock.seconds()
        self._desk = desk
        self._clock = clock
        self._trusted = trusted
        self._crowded = crowded
        self._left = left
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
        self._request: h11.Request | None = None
        self._body = b""
        self._ahead = 0
        self._timer: IDelayedCall | None = None
        self._socket: WebSocket | None = None

    # -- what the transport tells

    def connectionMade(self) -> None:
        self._flow = Flow(self.transport, self._clock, self._desk.turns, self._go_on)
        self._await_request()

    def dataReceived(self, data: bytes) -> None:
        self.touched = self._clock.seconds()
        if self._flow.closing:
            return
        if self._socket is not None:
            self._socket.received(data)
        else:
            self._http.receive_data(data)
            self._ahead += len(data)
        self._flow.take_turn()
        if self._behind():
            self._flow.hold(True)

    def readConnectionLost(self) -> None:
        self._flow.end()
        if self._socket is None and not self._flow.closing:
            self._http.receive_data(b"")
        self._flow.take_turn()
        if self._socket is not None:
            self._flow.close()

    def writeConnectionLost(self) -> None:
        """Nobody half-closes this direction but us."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._flow.over()
        cancel(self._timer)
        if self._socket is not None:
            self._socket.over()
        self._left(self)

    def abort(self) -> None:
        """End it now."""
        self._flow.abort()

    # -- request by request

    def _go_on(self) -> None:
        if self._socket is None and self._one():
            if any(self._http.trailing_data):
                self._flow.take_turn()
            else:
                self._ahead = 0
        if self._socket is not None:
            self._socket.go_on()
        self._flow.hold(self._flow.paused or self._behind())

    def _behind(self) -> bool:
        """@return: whether there is enough to answer before more is to be read."""
        if self._socket is not None:
            return self._socket.behind
        return self._ahead > AHEAD

    def _one(self) -> bool:
        """@return: whether a request was answered, and there may be another."""
        while not self._flow.closing and not self._flow.paused:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as wrong:
                self._answer(Answer(wrong.error_status_hint, b"%s\n" % _said(wrong)))
                return False
            if event in (h11.NEED_DATA, h11.PAUSED):
                self._ahead = 0
                self._say_continue()
                return False
            if isinstance(event, h11.ConnectionClosed):
                self._flow.close()
                return False
            if isinstance(event, h11.Request):
                self._begin(event)
                if self._socket is not None:
                    return False
            elif isinstance(event, h11.Data):
                self._take(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and self._request is not None:
                self._answer(self._answered(self._body))
                return True
        return False

    def _say_continue(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            more = h11.InformationalResponse(status_code=100, headers=[])
            self._flow.write(self._http.send(more) or b"")

    def _begin(self, request: h11.Request) -> None:
        self._request, self._body = request, b""
        headers = dict(request.headers)
        refused = self._refused(request, headers)
        if refused is not None:
            if headers.keys().isdisjoint((b"content-length", b"transfer-encoding")):
                self._http.next_event()  # its end: there is nothing more to it
            self._answer(refused)
        elif request.method == b"GET":
            self._upgrade(request)

    def _refused(
        self, request: h11.Request, headers: dict[bytes, bytes]
    ) -> Answer | None:
        if self._crowded:
            return Answer(429, b"too many connections\n", last=True)
        if not self._trusted:
            why = refusal(headers, self._desk.hosts)
            if why is not None:
                return Answer(403, why.encode() + b"\n", last=True)
            said = bearer(headers.get(b"authorization", b"").decode("utf-8", "replace"))
            if not self._desk.knows(said):
                if said:
                    peer = self._flow.peer
                    self._log.warn("control: {peer} said a wrong token", peer=peer)
                asked = ((b"www-authenticate", b"Bearer"),)
                return Answer(401, b"say the token\n", headers=asked, last=True)
        wanted = request.method == b"GET" and b"upgrade" in headers
        if request.method != b"POST" and not wanted:
            allowed = ((b"allow", b"POST"),)
            return Answer(405, b"only POST is allowed\n", headers=allowed)
        kind = headers.get(b"content-type", b"").lower().replace(b" ", b"")
        if not wanted and kind not in _JSON:
            return Answer(415, b"only application/json is allowed\n")
        if int(headers.get(b"content-length", b"0")) > LIMIT:
            return _too_large()
        return None

    def _take(self, data: bytes) -> None:
        if self._request is not None:
            self._body += data
            if len(self._body) > LIMIT:
                self._answer(_too_large())

    def _answered(self, body: bytes) -> Answer:
        if body[:_BLANK].lstrip()[:1] not in (b"{", b"["):
            text = jsonrpc.failed(jsonrpc.PARSE_ERROR, "Parse error")
            return Answer(400, text, _KIND)
        found = jsonrpc.answer(body, self._desk.table, self._carry_out)
        return Answer(200, found or b"", _KIND)

    def _carry_out(self, command: Any) -> Any:
        if isinstance(command, commands.Watch):
            raise CommandError(IMPOSSIBLE, "To watch needs a WebSocket")
        return run(self._desk.admin, command).result

    def _answer(self, answer: Answer) -> None:
        """Answer the request, whole or not, and be ready for the next one."""
        http, request = self._http, self._request
        self._request, self._body = None, b""
        silent = request is not None and request.method == b"HEAD"
        unread = http.their_state in (h11.SEND_BODY, h11.ERROR)
        headers = [
            (b"server", b"portmux"),
            (b"content-type", answer.kind),
            (b"content-length", b"%d" % len(answer.body)),
            *answer.headers,
        ]
        if answer.last or unread:
            headers.append((b"connection", b"close"))
        if http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            reason = HTTPStatus(answer.status).phrase.encode()
            head = h11.Response(
                status_code=answer.status, headers=headers, reason=reason
            )
            data = http.send(head) or b""
            if not silent:
                data += http.send(h11.Data(data=answer.body)) or b""
            self._flow.write(data + (http.send(h11.EndOfMessage()) or b""))
        if answer.last or unread or http.our_state is not h11.DONE:
            self._flow.close()
        elif http.their_state is h11.DONE:
            http.start_next_cycle()
            self._await_request()

    def _await_request(self) -> None:
        cancel(self._timer)
        self._timer = self._clock.callLater(REQUEST, self.abort)

    def _upgrade(self, request: h11.Request) -> None:
        self._request = None
        cancel(self._timer)
        opened = WebSocket(self._desk, self._clock, self._flow)
        self._socket = opened
        opened.begin(request, self._http.trailing_data[0])


_KIND: Final = b"application/json; charset=utf-8"


def _too_large() -> Answer:
    return Answer(
        413, jsonrpc.failed(TOO_LARGE, "Request is too big"), _KIND, last=True
    )


def _said(wrong: Exception) -> bytes:
    return str(wrong).encode("ascii", "replace")
