"""Answer a client's HTTP requests, at the pace at which it reads."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from typing import BinaryIO, Final

import attrs
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from portmux.core.canned import Conversation, Header, Next, Say, Step
from portmux.net.client import Client
from portmux.net.life import Ending

REQUEST: Final = 30.0
"""Seconds for a request to be there whole, from the answer before (taste)."""

PIECE: Final = 65536
"""Octets of a body that are read and sent at a time (taste)."""

TURN: Final = 16
"""Pieces and answers that are sent before others have their turn (taste)."""

Content = tuple[BinaryIO, int]
"""A body, and how many octets of it there are."""


@attrs.frozen
class Page:
    """
    The answer to every request.

    @ivar name: of the body, for the log.
    @ivar headers: without what differs from answer to answer.
    @ivar open: gives the body, new for each answer; raises OSError.
    """

    name: str
    status: int
    headers: tuple[Header, ...]
    open: Callable[[], Content]


def content_of(data: bytes) -> Content:
    """@return: a body that is there already; it is not copied."""
    return io.BytesIO(data), len(data)


def file_content(path: str) -> Content:
    """
    Open a regular file: reading anything else might have everybody wait.

    @raise OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return open(descriptor, "rb", buffering=0), status.st_size


async def answer(page: Page, client: Client) -> None:
    """Answer until the client has no more requests, or makes a mistake."""
    server = Server(page, client)
    client.transport.registerProducer(server, True)
    client.attach(server)
    server.go_on()
    try:
        await server.over.wait()
    finally:
        server.let_go()


@implementer(IPushProducer)
class Server:
    """
    The client's sink, and what its transport tells to pause.

    @ivar over: nothing will be answered any more, nor has to be read.
    """

    _log = Logger()

    def __init__(self, page: Page, client: Client) -> None:
        self.over = Ending()
        self._page = page
        self._client = client
        self._http = Conversation()
        self._body: BinaryIO | None = None
        self._timer: IDelayedCall | None = None
        self._turn: IDelayedCall | None = None
        self._paused = False
        self._held_back = False
        self._done = False

    # -- what the client sends

    def received(self, data: bytes) -> None:
        if not self._done:
            self._http.receive(data)
            self.go_on()

    def ended(self) -> None:
        if not self._done:
            self._http.finish()
            self.go_on()

    def lost(self) -> None:
        self._done = True
        self.over.come()

    # -- how fast it reads

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self.go_on()

    def stopProducing(self) -> None:
        """The client is gone, and C{lost} says so."""

    # -- what it is answered

    def go_on(self) -> None:
        """Answer what is there, while the client takes it and nobody else waits."""
        _cancel(self._turn)
        for _ in range(TURN):
            if self._done:
                return
            if self._paused:
                break
            if self._http.remaining:
                self._client.write(self._piece())
                continue
            step = self._http.next(self._now())
            if step is None:
                self._await_request()
                return
            _cancel(self._timer)
            self._timer = None
            self._take(step)
        else:
            self._turn = self._client.reactor.callLater(0, self.go_on)
        self._held_back = True
        self._client.transport.pauseProducing()

    def let_go(self) -> None:
        """Keep nothing open, nor the reactor busy."""
        _cancel(self._turn)
        _cancel(self._timer)
        self._close_body()

    def _take(self, step: Step) -> None:
        if isinstance(step, Say):
            self._client.write(step.data)
        elif step is Next.ASK:
            self._client.write(self._begin())
        else:
            self._end()

    def _begin(self) -> bytes:
        """@return: the head of an answer, and the first piece of its body."""
        page = self._page
        try:
            self._body, length = page.open()
        except OSError as error:
            self._warn(error)
            missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
            return self._http.plain(404 if missing else 500, self._now())
        head = self._http.begin(page.status, page.headers, length, self._now())
        if not self._http.remaining:
            self._close_body()
            return head
        return head + self._piece()

    def _piece(self) -> bytes:
        """@return: the next octets of the body; none when it cannot be gone on."""
        assert self._body is not None
        try:
            data = self._body.read(min(PIECE, self._http.remaining))
            if not data:
                raise OSError(errno.EIO, "shorter than it was")
        except OSError as error:
            self._warn(error)
            self._client.conclude("error", "the body could not be sent whole")
            self._done = True
            self.over.come()
            return b""
        sent = self._http.body(data)
        if not self._http.remaining:
            self._close_body()
        return sent

    def _warn(self, error: OSError) -> None:
        self._log.warn(
            "{name} cannot be sent: {why}",
            name=self._page.name,
            why=str(error.strerror).lower(),
        )

    def _close_body(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def _await_request(self) -> None:
        self._read_on()
        if self._timer is None:
            self._timer = self._client.reactor.callLater(REQUEST, self._late)

    def _late(self) -> None:
        self._take(self._http.give_up(self._now()))
        self.go_on()

    def _end(self) -> None:
        self._done = True
        self.over.come()

    def _read_on(self) -> None:
        if self._held_back:
            self._held_back = False
            self._client.transport.resumeProducing()

    def _now(self) -> float:
        return float(self._client.reactor.seconds())


def _cancel(call: IDelayedCall | None) -> None:
    """Cancel a timer that may have run out, or was never set."""
    if call is not None and call.active():
        call.cancel()
