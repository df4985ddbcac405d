"""
The relay in C: a thread of its own, which never waits for Python.

The extension is optional. It knows of L{portmux.core.session} what
L{portmux.net.lane.relay} tells, and no more: what it found is told to the
session when a pair is over.
"""

from __future__ import annotations

from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET, SocketType
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

from portmux.core.effects import Side
from portmux.core.session import HAD_ENDED, Session
from portmux.net.descriptors import Budget
from portmux.net.lane.pair import NO_LINGER
from portmux.net.lane.poller import IN, Poller
from portmux.net.lane.relay import Over

_why_not: str | None = None
if TYPE_CHECKING:
    from portmux._relay import Loop, Pair
else:
    try:
        from portmux._relay import Loop, Pair
    except ImportError as error:
        _why_not, Loop, Pair = str(error), None, object

PIPES: Final = 64
"""At a time; an unprivileged user gets no more of 1 MiB. "pipe-user-pages-soft" in
pipe(7)."""

SHARE: Final = 16
"""A pipe for so many descriptors; sessions need them more (taste)."""

MISSING: Final = _why_not
"""Why there is no such relay here; None: there is one."""


class Native:
    """A relay: see L{portmux.net.lane.relay.Relay}."""

    nested = False
    _log = Logger()

    def __init__(self, poller: Poller, budget: Budget) -> None:
        """Starts no thread: whoever calls may still want to fork."""
        self.poller = poller
        self.loop: Loop | None = None
        self._budget = budget
        self._reserved = 0

    def begin(
        self,
        session: Session,
        client: SocketType,
        backend: SocketType,
        rest: bytes,
        over: Over,
    ) -> Relayed:
        relayed = Relayed(self, session, over, session.sent - len(rest))
        policy = session.policy
        try:
            self._started().begin(
                relayed,
                client.fileno(),
                backend.fileno(),
                rest,
                session.half_closed is Side.CLIENT,
                policy.idle,
                policy.half_close,
            )
        except OSError as error:
            self._refuse(relayed, (client, backend), error)
        else:
            session.deadline = None  # the thread has its own
            client.detach()
            backend.detach()
        return relayed

    def _started(self) -> Loop:
        """@raise OSError: there is nothing left to start it with."""
        if self.loop is None:
            # The thread cannot ask whether there is room for one more pipe.
            pipes = min(PIPES, max(self._budget.most, 0) // SHARE)
            self.loop = Loop(pipes)
            self._reserved = 2 * pipes + 3
            self._budget.take(self._reserved)
            self.poller.watch(self.loop.fileno(), self, IN)
        return self.loop

    def _refuse(
        self, relayed: Relayed, sockets: tuple[SocketType, ...], why: OSError
    ) -> None:
        for sock in sockets:
            with suppress(OSError):
                sock.setsockopt(SOL_SOCKET, SO_LINGER, NO_LINGER)
            sock.close()
        session = relayed.session
        session.end("error", (why.strerror or str(why)).lower())
        self.poller.callLater(0, relayed.over, relayed)

    def ready(self, events: int) -> None:
        """Some pairs are over."""
        assert self.loop is not None
        for relayed in self.loop.over():
            assert isinstance(relayed, Relayed)
            try:
                relayed.ended()
            except Exception:
                self.fail()

    def catch_up(self, wait: bool = True) -> None:
        """Tell now of all that are over. @param wait: have the thread look again."""
        if self.loop is not None:
            if wait:
                self.loop.settle()
            self.ready(IN)

    def fail(self) -> None:
        self._log.failure("the end of a session failed")

    def stop(self) -> None:
        if self.loop is not None:
            self.poller.forget(self.loop.fileno())
            self.loop.close()
            self.loop = None
            self._budget.give(self._reserved)


class Relayed(Pair):
    """
    A session whose sockets the thread has.

    @ivar over: to be told when it has no more.
    """

    __slots__ = ("_before", "_native", "_session", "over")

    def __init__(
        self, native: Native, session: Session, over: Over, before: int
    ) -> None:
        """@param before: octets of the client's that the backend had already."""
        self._native = native
        self._session = session
        self._before = before
        self.over = over

    @property
    def session(self) -> Session:
        """With what has moved up to now."""
        session, loop = self._session, self._native.loop
        if loop is not None and not self.end:
            self._count()
            session.touched = self._native.poller.seconds() - loop.quiet(self)
            if session.half_closed is None and self.client_ended:
                session.half_closed = Side.CLIENT
            elif session.half_closed is None and self.backend_ended:
                session.half_closed = Side.BACKEND
        return session

    def _count(self) -> None:
        self._session.sent = self._before + self.sent
        self._session.received = self.received

    def ended(self) -> None:
        """The thread has closed both sockets."""
        self._count()
        end, detail = self.end, ""
        if end == "error":
            detail = self.detail.lower()
        elif end == "backend-lost" and self.backend_ended:
            detail = HAD_ENDED
        self._session.end(end, detail)
        self.over(self)

    def expire(self) -> None:
        """The thread looks at the time itself."""

    def stop(self, how: str, reset: bool = True) -> None:
        self._session.end(how)
        if self._native.loop is not None:
            self._native.loop.stop(self, reset)
