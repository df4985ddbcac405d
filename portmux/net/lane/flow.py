"""
One direction of an established pair: from one socket to another.

Small pieces are copied. After two reads in a row that were full the bytes are
spliced through a pipe, which the kernel does without copying them; when they
become few again, they are copied again. Sockets are read until they are empty
or the other one is full: only then does the kernel tell of them again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from socket import MSG_DONTWAIT, MSG_PEEK, SHUT_WR, SO_ERROR, SOL_SOCKET, SocketType
from typing import TYPE_CHECKING, Final

from portmux.core.effects import Side
from portmux.net.lane.pipes import Pipe
from portmux.net.lane.poller import EDGE, ERR, IN, OUT

if TYPE_CHECKING:
    from portmux.net.lane.pair import Pair

COPIED: Final = 65536
"""Octets taken at a time; more is slower for single streams (measured)."""

TURNS: Final = 4
"""Reads before others have their turn (taste: 256 KiB copied, 4 MiB spliced)."""

FULL: Final = 2
"""Full reads in a row until splicing is worth it (measured)."""

SMALL: Final = 16384
"""Octets; splicing fewer costs more than copying them."""

FEW: Final = 16
"""Small splices in a row until copying is worth it (taste)."""

_CLIENT: Final = Side.CLIENT
_NOW_AND_HANGUP: Final = IN | OUT
_MOVE: Final = getattr(os, "SPLICE_F_MOVE", 1) | getattr(os, "SPLICE_F_NONBLOCK", 2)


class Flow:
    """
    @ivar side: whose bytes these are.
    @ivar source: where they come from. @ivar target: where they go.
    @ivar other: the opposite direction.
    @ivar open: the source may still send.
    @ivar ending: the target is to be told the end, behind what is left.
    @ivar rest: bytes that the target did not take yet.
    @ivar pipe: the pipe that holds some more of those, while splicing.
    """

    __slots__ = (
        "_blocked",
        "_broken",
        "_hung",
        "_later",
        "_out",
        "_readable",
        "_row",
        "_splicing",
        "ending",
        "open",
        "other",
        "pair",
        "pipe",
        "rest",
        "side",
        "source",
        "target",
    )
    other: Flow

    def __init__(
        self, pair: Pair, side: Side, source: SocketType, target: SocketType
    ) -> None:
        self.pair = pair
        self.side = side
        self.source = source
        self.target = target
        self.open = True
        self.ending = False
        self.rest = b""
        self.pipe: Pipe | None = None
        self._readable = self._hung = self._blocked = self._out = False
        self._broken = False  # an error may wait behind what is to be read
        self._splicing = self._later = False
        self._row = 0  # full reads while copying, small ones while splicing

    @property
    def left(self) -> int:
        """@return: octets read that the target did not take yet."""
        return len(self.rest) + (self.pipe.held if self.pipe is not None else 0)

    # -- what the poller tells of the source

    def ready(self, events: int) -> None:
        pair = self.pair
        if events & OUT:
            other = self.other
            if other._blocked:
                other._blocked = False
                other.move()
        if events != OUT and not pair.over_already:
            self._readable = True
            if events & ~_NOW_AND_HANGUP:
                self._hung = True
                if events & ERR:
                    self._broken = True
                    if not self.open:
                        self._look()
                        return
            if self.open:
                if not (self._blocked or self._later):
                    self.move()
                elif self._hung:
                    self._peek()
            elif pair.lingering:
                pair.drop()

    def go_on(self) -> None:
        self._later = False
        if not self._blocked and not self.pair.over_already:
            self.move()

    def fail(self) -> None:
        self.pair.fail()

    def _look(self) -> None:
        """There is an error that reading would not show now."""
        if self.is_reset():
            self.pair.lost(self.side)

    def is_reset(self) -> bool:
        """@return: whether the source is gone, behind an end in order; told once."""
        return self.source.getsockopt(SOL_SOCKET, SO_ERROR) != 0

    def _peek(self) -> None:
        """The source may have ended behind what the target has still to take."""
        try:
            if self.open and not self.source.recv(1, MSG_PEEK | MSG_DONTWAIT):
                self._end()
        except OSError:
            return  # reading tells, when its time has come

    # -- moving

    def wait_for_target(self, rest: bytes) -> None:
        """Begin with bytes that the target has not taken."""
        self.rest = rest
        self._blocked = self._out = True

    def look_at_source(self) -> None:
        """Begin with a source that may have something; then L{go_on}."""
        self._readable = self._hung = self._later = True

    def move(self) -> None:
        """Move what can be moved now."""
        poller = self.pair.poller
        for _ in range(TURNS):
            if poller.work <= 0:
                break
            if (self.rest or self.pipe is not None) and not self._flush():
                return
            if not (self._readable and self.open):
                if self.ending or not self.open:
                    self.pair.flushed(self)
                return
            if not (self._splice() if self._splicing else self._copy()):
                return
            poller.work -= 1
        if not self._later:
            self._later = True
            poller.later(self)

    def _copy(self) -> bool:
        """@return: whether there may be more to do at once."""
        pair = self.pair
        try:
            data = self.source.recv(COPIED, MSG_DONTWAIT)
        except BlockingIOError:
            self._readable = False
            return False
        except OSError:
            pair.lost(self.side)
            return False
        size = len(data)
        if not size:
            self._end()
            return False
        session = pair.session
        session.touched = pair.poller.now
        try:
            sent = self.target.send(data, MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            pair.lost(self.other.side)
            return False
        if self.side is _CLIENT:
            session.sent += sent
        else:
            session.received += sent
        if size < COPIED:
            self._row = 0
            if not self._hung:
                self._readable = False
        else:
            self._row += 1
            if self._row >= FULL:
                self._splice_from_now_on()
        if sent < size:
            self.rest = data[sent:]
            self._block()
            return False
        return self._readable

    def _splice(self) -> bool:
        """@return: as L{_copy}."""
        pair = self.pair
        pipe = pair.pipes.take(pair.poller.now)
        if pipe is None:
            self._splicing = False
            return True
        try:
            size = os.splice(self.source.fileno(), pipe.writer, pipe.size, flags=_MOVE)
        except BlockingIOError:
            pair.pipes.give(pipe)
            self._readable = False
            return False
        except OSError:
            pair.pipes.give(pipe)
            pair.lost(self.side)
            return False
        if not size:
            pair.pipes.give(pipe)
            self._end()
            return False
        pipe.held = size
        self.pipe = pipe
        pair.session.touched = pair.poller.now
        if size >= SMALL:
            self._row = 0
        else:
            self._row += 1
            if self._row >= FEW:
                self._splicing = False
                self._row = 0
        return self._flush()

    def _splice_from_now_on(self) -> None:
        self._splicing = True
        self._row = 0
        self.source.setblocking(False)
        self.target.setblocking(False)

    def _flush(self) -> bool:
        """
        Give the target what is left for it.

        @return: whether it has taken all.
        """
        left = self.left
        try:
            if self.rest:
                self.rest = self.rest[self.target.send(self.rest, MSG_DONTWAIT) :]
            pipe = self.pipe
            if pipe is not None and not self.rest:
                target = self.target.fileno()
                while pipe.held:
                    pipe.held -= os.splice(pipe.reader, target, pipe.held, flags=_MOVE)
                self.pipe = None
                self.pair.pipes.give(pipe)
        except BlockingIOError:
            pass
        except OSError:
            self._count(left - self.left)
            self.pair.lost(self.other.side)
            return False
        self._count(left - self.left)
        if self.rest or self.pipe is not None:
            self._block()
            return False
        return True

    def _count(self, octets: int) -> None:
        """The target has taken them."""
        session = self.pair.session
        if self.side is _CLIENT:
            session.sent += octets
        else:
            session.received += octets

    def _block(self) -> None:
        """The target is full: the poller tells when it is not."""
        self._blocked = True
        if not self._out:
            self._out = True
            self.pair.poller.change(self.target.fileno(), EDGE | OUT)
        if self._hung:
            self._peek()

    def _end(self) -> None:
        self.open = False
        if self._broken and self.is_reset():
            self.pair.lost(self.side)
        else:
            self.pair.finished(self.side)

    # -- the end

    def finish(self) -> None:
        """Tell the target that no more will come, behind what is left."""
        self.ending = True
        if not (self.rest or self.pipe):
            self.pair.flushed(self)

    def shut(self) -> None:
        """Everything is through, and the target is to know."""
        self.ending = False
        with suppress(OSError):  # it has reset; that is told by itself
            self.target.shutdown(SHUT_WR)

    def drop(self) -> None:
        """Give back what is held; nobody is to have it any more."""
        pipe, self.pipe, self.rest = self.pipe, None, b""
        if pipe is not None:
            self.pair.pipes.give(pipe)
