"""The lane's own relay: both directions of pairs, in Python, without threads."""

from __future__ import annotations

import fcntl
import struct
import sys
import termios
from contextlib import suppress
from socket import MSG_DONTWAIT, SO_LINGER, SOL_SOCKET, SocketType
from typing import Final

from twisted.logger import Logger

from portmux.core.effects import RESET, WAIT, Close, Effect, Finish, Phase, Side
from portmux.core.session import LINGER, Session
from portmux.net.deadlines import Deadlines
from portmux.net.lane.flow import COPIED, Flow
from portmux.net.lane.pipes import Pipes
from portmux.net.lane.poller import EDGE, OUT, Poller
from portmux.net.lane.relay import Over

NO_LINGER: Final = struct.pack("ii", 1, 0)
"""A C{struct linger}: on, zero seconds; closing is then a reset. socket(7)."""

_CLOSE: Final = Phase.CLOSE
_CLIENT, _BACKEND = Side


class Pairs:
    """A relay: see L{portmux.net.lane.relay.Relay}."""

    nested = True

    def __init__(self, poller: Poller, deadlines: Deadlines, pipes: Pipes) -> None:
        self.poller = poller
        self.deadlines = deadlines
        self.pipes = pipes

    def begin(
        self,
        session: Session,
        client: SocketType,
        backend: SocketType,
        rest: bytes,
        over: Over,
    ) -> Pair:
        pair = Pair(self, session, client, backend, over)
        pair.begin(rest)
        return pair

    def stop(self) -> None:
        self.pipes.stop()


class Pair:
    """
    A client and its backend.

    @ivar up: from the client. @ivar down: from the backend.
    @ivar lingering: the client was told the end; what it sends is dropped.
    @ivar over_already: both sockets are closed.
    """

    _log = Logger()

    __slots__ = (
        "_called_by",
        "_deadlines",
        "_left",
        "_over",
        "down",
        "lingering",
        "over_already",
        "pipes",
        "poller",
        "session",
        "up",
    )

    def __init__(
        self,
        pairs: Pairs,
        session: Session,
        client: SocketType,
        backend: SocketType,
        over: Over,
    ) -> None:
        self.session = session
        self.poller = pairs.poller
        self.pipes = pairs.pipes
        self.lingering = self.over_already = False
        self.up = up = Flow(self, Side.CLIENT, client, backend)
        self.down = down = Flow(self, Side.BACKEND, backend, client)
        up.other, down.other = down, up
        self._deadlines = pairs.deadlines
        self._over = over
        self._called_by: float | None = None
        self._left = 0

    def begin(self, rest: bytes) -> None:
        """Have both sockets watched; everything else follows from that."""
        up, down, poller = self.up, self.down, self.poller
        if self.session.half_closed is _CLIENT:
            up.open = False
            up.ending = True
        if rest:
            self.session.sent -= len(rest)
            up.wait_for_target(rest)
        elif up.ending:
            up.shut()
        poller.watch(down.source.fileno(), down, EDGE | OUT if rest else EDGE)
        if not poller.watch(up.source.fileno(), up):
            up.look_at_source()  # what it told before, it does not tell again
            poller.later(up)
        self._watch()

    # -- what the flows tell

    def finished(self, side: Side) -> None:
        """This side has ended, in order."""
        session = self.session
        # What came together with the client's end had no time to be refused before.
        if session.half_closed is _BACKEND and self.down.is_reset():
            self._carry(session.refused())
        else:
            self._carry(session.finished(side, self.poller.now))
        self._watch()

    def lost(self, side: Side) -> None:
        """This side is gone; while closing, that is its end."""
        session = self.session
        if session.phase is not _CLOSE:
            self._carry(session.lost(side, self.poller.now))
        else:
            self._shut(side)

    def flushed(self, flow: Flow) -> None:
        """Nothing is left of what a flow has read, and it reads no more."""
        if flow.ending:
            flow.shut()
        if self.session.phase is _CLOSE:
            self._settle()

    def drop(self) -> None:
        """The client sends on, though it was told the end."""
        client = self.up.source
        try:
            while client.fileno() >= 0 and client.recv(COPIED, MSG_DONTWAIT):
                pass
        except BlockingIOError:
            return
        except OSError:
            pass  # it is gone, which is an end, too
        self._shut(_CLIENT)

    # -- what others tell

    def expire(self) -> None:
        self._called_by = None
        session, now = self.session, self.poller.seconds()
        try:
            if session.phase is _CLOSE and self._drains():
                session.closing(now)
            self._carry(session.expire(now))
            self._watch()
        except Exception:
            self.fail()

    def stop(self, how: str, reset: bool = True) -> None:
        self.session.end(how)
        if not self.over_already:
            self._end_both(reset)

    def fail(self) -> None:
        """A mistake of ours costs one connection, not the others."""
        self._log.failure("session {number} failed", number=self.session.number)
        self.session.end("error", "see the log")
        self._carry(RESET)

    # -- effects

    def _carry(self, effect: Effect) -> None:
        if effect is WAIT:
            return
        if isinstance(effect, Finish):
            flow = self.up if effect.side is Side.BACKEND else self.down
            flow.finish()
        elif isinstance(effect, Close):
            if effect.reset:
                self._reset()
            else:
                self._close()

    def _watch(self) -> None:
        """An earlier call is as good: it finds that there is more time."""
        deadline = self.session.deadline
        if deadline is None or self.over_already:
            return
        if self._called_by is None or deadline < self._called_by:
            self._called_by = deadline
            self._deadlines.put(self, deadline)

    def _close(self) -> None:
        """Let what is under way arrive; read no more."""
        session, up, down = self.session, self.up, self.down
        if not (up.open or up.rest or down.rest or up.pipe or down.pipe):
            self._end_both(reset=False)
            return
        now = self.poller.seconds()
        session.closing(now)
        self.lingering = bool(
            up.open and session.received and now - session.touched < LINGER
        )
        up.open = down.open = up.ending = False
        down.ending = self.lingering
        if self.lingering and not down.left:
            down.shut()
        self._settle()
        if not self.over_already:
            self._left = self._under_way()

    def _settle(self) -> None:
        """Close what has nothing left to be told."""
        down = self.down
        if not self.up.left:
            self._shut(Side.BACKEND)
        if self.over_already:
            return
        if self.lingering:
            self.drop()
        elif not down.left:
            self._shut(_CLIENT)

    def _reset(self) -> None:
        if not self.over_already:
            self._end_both(reset=True)

    def _end_both(self, reset: bool) -> None:
        for flow in (self.down, self.up):
            if flow.rest or flow.pipe:
                flow.drop()
            sock = flow.source
            descriptor = sock.fileno()
            if descriptor >= 0:
                self.poller.closed(descriptor)
                if reset:
                    with suppress(OSError):
                        sock.setsockopt(SOL_SOCKET, SO_LINGER, NO_LINGER)
                sock.close()
        self._end()

    def _shut(self, side: Side) -> None:
        """Close one side's socket; with the second one, all is over."""
        into, from_ = (self.down, self.up) if side is _CLIENT else (self.up, self.down)
        sock = from_.source
        descriptor = sock.fileno()
        if descriptor < 0:
            return
        into.drop()
        self.poller.closed(descriptor)
        sock.close()
        if into.source.fileno() < 0:
            self._end()

    def _end(self) -> None:
        self.over_already = True
        self._over(self)
        up, down = self.up, self.down  # no work for the garbage collector
        del self.up, self.down, up.other, down.other

    def _drains(self) -> bool:
        """Whether a slow reader has taken something since this was last asked."""
        before, self._left = self._left, self._under_way()
        return self._left < before

    def _under_way(self) -> int:
        """@return: octets that neither side has taken yet."""
        left = 0
        for flow in (self.up, self.down):
            descriptor = flow.target.fileno()
            if descriptor >= 0:
                queued = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
                left += flow.left + int.from_bytes(queued, sys.byteorder)
        return left
