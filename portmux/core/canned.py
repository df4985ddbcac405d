"""
Answer each HTTP/1 request of a connection alike, as pure code: bytes in, steps out.

An engine gives in what arrives, and asks for the next step until there is
none. A step is L{Say}: send this; C{ASK}: a request is there, C{begin} an
answer and give its C{body} until nothing C{remaining} is left; or C{OVER}:
end the connection. RFC 9110, RFC 9112.
"""

from __future__ import annotations

from email.utils import formatdate
from enum import Enum, auto
from http import HTTPStatus
from typing import Final

import attrs
import h11

from portmux.core.regex.automaton import Automaton, State

TEXT: Final = ("Content-Type", "text/plain; charset=utf-8")
"""The header of answers that are words of ours."""

WITHOUT_CONTENT: Final = frozenset({204, 205, 304})
"""RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5."""

_LINE = Automaton.of_stream(
    [r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/[0-9]\.[0-9]\r?\n"]
)
"""A request line, as h11 takes it when the head is whole."""

Header = tuple[str, str]


class Next(Enum):
    """What is to be done that is not just sending."""

    ASK = auto()
    OVER = auto()


@attrs.frozen(slots=True)
class Say:
    """A whole answer that the requests themselves have called for: they are wrong."""

    data: bytes


Step = Next | Say


class Conversation:
    """
    The server's side of one connection.

    Requests are answered one after the other, as the engine takes the steps:
    what it does not take yet is not parsed. Content of requests is read and
    dropped; one that asks for C{100 (Continue)} is answered at once, and was
    the last (RFC 9110, section 10.1.1).

    @ivar remaining: octets of the answer's body that L{body} has to bring.
    """

    def __init__(self) -> None:
        self.remaining = 0
        self._http = h11.Connection(h11.SERVER)
        self._method = b""
        self._last = False
        self._line: State | None = None

    # -- what arrives

    def receive(self, data: bytes) -> None:
        """Take bytes of the client; never none."""
        if self._http.their_state is not h11.ERROR:
            self._http.receive_data(data)
        if self._line is not None:
            self._line = _LINE.go_on(self._line, data)

    def finish(self) -> None:
        """The client will send no more; what is there is still answered."""
        if self._http.their_state is not h11.ERROR:
            self._http.receive_data(b"")

    # -- what follows

    def next(self, now: float) -> Step | None:
        """
        Go on; not while C{remaining}.

        @param now: seconds since 1970.
        @return: None when the client has to send more first.
        """
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
            self._method = b""
        while self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as wrong:
                return self._refuse(wrong.error_status_hint, now)
            if event is h11.NEED_DATA:
                return None if self._may_be_http() else self._refuse(400, now)
            if isinstance(event, h11.Request):
                self._method, self._line = event.method, None
                if not event.http_version.startswith(b"1."):
                    return self._refuse(505, now)
                if self._http.they_are_waiting_for_100_continue:
                    self._last = True
                    return self._asked(now)
            elif isinstance(event, h11.EndOfMessage):
                return self._asked(now)
        return Next.OVER

    def give_up(self, now: float) -> Step:
        """The client took too long; without a part of a request it gets no answer."""
        begun = self._http.their_state is not h11.IDLE or self._http.trailing_data[0]
        return self._refuse(408, now) if begun else Next.OVER

    # -- the answer

    def begin(
        self, status: int, headers: tuple[Header, ...], length: int, now: float
    ) -> bytes:
        """
        Answer what L{next} asked for.

        @param headers: without those that say how long the body is.
        @param length: octets of the body for a client that wants it; a HEAD
            request gets none, and C{remaining} is 0 then.
        """
        fields = list(headers)
        if not any(name.lower() == "date" for name, _ in headers):
            fields.insert(0, ("Date", formatdate(now, usegmt=True)))
        if status not in WITHOUT_CONTENT or status == HTTPStatus.RESET_CONTENT:
            fields.append(("Content-Length", str(length)))
        if self._last:
            fields.append(("Connection", "close"))
        response = h11.Response(
            status_code=status, headers=fields, reason=_phrase(status).encode()
        )
        head = self._http.send(response)
        assert head is not None
        self.remaining = 0 if self._method == b"HEAD" else length
        if not self.remaining:
            self._http.send(h11.EndOfMessage())
        return head

    def body(self, data: bytes) -> bytes:
        """@param data: the next octets, at least one, C{remaining} at the most."""
        sent = self._http.send(h11.Data(data=data))
        self.remaining -= len(data)
        if not self.remaining:
            self._http.send(h11.EndOfMessage())
        assert sent is not None
        return sent

    def plain(self, status: int, now: float) -> bytes:
        """@return: a whole answer that says no more than its status."""
        text = f"{status} {_phrase(status)}\n".encode()
        head = self.begin(status, (TEXT,), len(text), now)
        return head + self.body(text) if self.remaining else head

    def _asked(self, now: float) -> Step:
        if self._method == b"CONNECT":  # any success would promise a tunnel
            return self._refuse(501, now)
        return Next.ASK

    def _refuse(self, status: int, now: float) -> Step:
        self._last = True
        return Say(self.plain(status, now))

    def _may_be_http(self) -> bool:
        """
        Look at the start of a request that is not whole.

        h11 looks at whole heads, but what is not HTTP at all, such as another
        protocol's greeting, may never bring the empty line that ends one.
        """
        if self._http.their_state is not h11.IDLE:
            return True
        if self._line is None:
            self._line = _LINE.go_on(_LINE.start, self._http.trailing_data[0])
        return self._line.matched or not self._line.settled


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # RFC 9112, section 4: the phrase may be absent
        return ""
