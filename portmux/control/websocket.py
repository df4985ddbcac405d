"""JSON-RPC over a WebSocket: a request or a batch in each message, and events."""

from __future__ import annotations

from typing import Any, Final

import h11
from twisted.internet.interfaces import IDelayedCall
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from portmux.control import commands, jsonrpc
from portmux.control.desk import Desk
from portmux.control.flow import Flow, cancel
from portmux.control.running import run
from portmux.control.watching import Watching, notification
from portmux.core.events import Event as Happened

LIMIT: Final = 1 << 20
"""Octets of a message (taste)."""

PING: Final = 60.0
"""Seconds between two pings; who says nothing in that time is gone. As plexy's."""


class WebSocket:
    """The client that one connection has become."""

    def __init__(self, desk: Desk, clock: Any, flow: Flow) -> None:
        self._desk = desk
        self._clock = clock
        self._flow = flow
        self._connection = WSConnection(ConnectionType.SERVER)
        self._events: list[Event] = []
        self._text = ""
        self._heard = True
        self._watching: Watching | None = None
        self._pings: IDelayedCall | None = clock.callLater(PING, self._ping)

    def begin(self, request: h11.Request, data: bytes) -> None:
        """
        @param request: the one that asks for it.
        @param data: what came behind it.
        """
        headers = list(request.headers)
        path = request.target.decode("ascii", "replace")
        try:
            self._connection.initiate_upgrade_connection(headers, path)
        except RemoteProtocolError as wrong:
            self._refuse(str(wrong))
            return
        self.received(data)

    def received(self, data: bytes) -> None:
        """The client has sent these; L{go_on} is to be called."""
        self._heard = True
        try:
            if data:
                self._connection.receive_data(data)
            self._events += self._connection.events()
        except RemoteProtocolError as wrong:
            self._end(CloseReason.PROTOCOL_ERROR, str(wrong))

    def go_on(self) -> None:
        """Answer one message, if one is there and the client reads."""
        if self._flow.closing or self._flow.paused:
            return
        if self._watching is not None:
            self._watching.resume()
        if self._events:
            self._take(self._events.pop(0))
        if self._events:
            self._flow.take_turn()

    @property
    def behind(self) -> bool:
        """Whether there is more to answer before more is to be read."""
        return bool(self._events)

    def over(self) -> None:
        """The connection is no more."""
        cancel(self._pings)
        if self._watching is not None:
            self._watching.stop()

    def _take(self, event: Event) -> None:
        if isinstance(event, Request):
            self._send(AcceptConnection())
        elif isinstance(event, TextMessage):
            self._text += event.data
            if len(self._text) > LIMIT:
                self._end(CloseReason.MESSAGE_TOO_BIG, "")
            elif event.message_finished:
                text, self._text = self._text, ""
                self._answer(text)
        elif isinstance(event, BytesMessage):
            self._end(CloseReason.UNSUPPORTED_DATA, "text is wanted")
        elif isinstance(event, CloseConnection):
            self._send(event.response())
            self._flow.close()
        elif isinstance(event, Ping):
            self._send(event.response())

    def _answer(self, text: str) -> None:
        reply = jsonrpc.answer(text.encode(), self._desk.table, self._carry_out)
        if reply is not None:
            self._send(TextMessage(data=reply.decode()))

    def _carry_out(self, command: Any) -> Any:
        if not isinstance(command, commands.Watch):
            return run(self._desk.admin, command).result
        if self._watching is None:
            self._watching = Watching(self._desk.admin, self._flow, self._told)
        return None

    def _told(self, event: Happened) -> bytes:
        message = TextMessage(data=notification(event).decode())
        return self._connection.send(message)

    def _ping(self) -> None:
        if not self._heard:
            self._flow.abort()
            return
        self._heard = False
        self._send(Ping())
        self._pings = self._clock.callLater(PING, self._ping)

    def _refuse(self, why: str) -> None:
        body = f"{why}\n".encode("ascii", "replace")
        head = b"HTTP/1.1 400 Bad Request\r\nserver: portmux\r\nconnection: close\r\n"
        head += b"content-type: text/plain\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._flow.write(head + body)
        self._flow.close()

    def _end(self, code: CloseReason, why: str) -> None:
        self._send(CloseConnection(code=int(code), reason=why[:100]))
        self._flow.close()

    def _send(self, event: Event) -> None:
        try:
            self._flow.write(self._connection.send(event))
        except LocalProtocolError:
            self._flow.close()  # it has ended meanwhile, or never begun
