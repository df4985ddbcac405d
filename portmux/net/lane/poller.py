"""
An epoll of our own, nested in the reactor as one reader.

A descriptor that is registered with the reactor itself costs a dispatch
through its logging and several registrations in its life; here it costs one
registration, and the reactor's dispatch is paid once for many of them.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.interfaces import (
    IDelayedCall,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.net.poll import FEW, ROUNDS

IN: Final = int(select.EPOLLIN)
OUT: Final = int(select.EPOLLOUT)
ERR: Final = int(select.EPOLLERR)
EDGE: Final = int(select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
"""Tell once when there is something to read, or the peer's end."""

EVENTS: Final = 256
"""Descriptors served before the reactor has its turn (taste)."""


WORK: Final = 16
"""Full reads until the reactor has its turn (taste: some milliseconds' work)."""


class Watched(Protocol):
    """Something that a descriptor belongs to."""

    def ready(self, events: int) -> None:
        """
        Something may be there: what is told may be out of date.

        @param events: C{EPOLLIN} and others.
        """

    def fail(self) -> None:
        """L{ready} or L{Unfinished.go_on} has raised: log that, and end."""


class Unfinished(Protocol):
    """Something that gave way to others before it had done all."""

    def go_on(self) -> None: ...

    def fail(self) -> None: ...


@implementer(IReadDescriptor)
class Poller:
    """
    Watches descriptors; also as a L{portmux.net.poll.Poll} does, which tells why
    it is another one.

    @ivar now: the reactor's time when it last woke us.
    @ivar busy: it is going through what is ready; C{after} follows.
    @ivar work: full reads that are left to all at this wake-up; whoever has more
        to do when there are none is to go on L{later}.
    """

    _log = Logger()

    def __init__(self, reactor: Any, after: Callable[[], None]) -> None:
        """
        @param reactor: where it appears from now on.
        @param after: called behind each look at all that is ready; never raises.
        """
        self.reactor = reactor
        self.busy = False
        self.work = WORK
        self._after = after
        self.now = reactor.seconds()
        self.seconds: Callable[[], float] = reactor.seconds
        self.callLater = reactor.callLater
        self._epoll = select.epoll()
        self._watched: list[Watched | None] = []  # by descriptor
        self._readers: dict[Any, int] = {}
        self._writers: dict[Any, int] = {}
        self._fresh: set[int] = set()
        self._unfinished: list[Unfinished] = []
        self._call: IDelayedCall | None = None
        reactor.addReader(self)

    def stop(self) -> None:
        """The last call: nothing is watched any more."""
        if not self._epoll.closed:
            self.reactor.removeReader(self)
            self._epoll.close()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    # -- for those who know what epoll is

    def watch(self, descriptor: int, watched: Watched, events: int = EDGE) -> bool:
        """
        Have C{watched} told what happens there, in place of whoever was told before.

        @return: whether nobody was; then what is there already is told, too.
        """
        known = self._watched
        if descriptor >= len(known):
            known += [None] * (descriptor + 1 - len(known))
        before = known[descriptor]
        known[descriptor] = watched
        if before is None:
            self._epoll.register(descriptor, events)
        return before is None

    def change(self, descriptor: int, events: int) -> None:
        """Watch for other events; what is there already is told, too."""
        self._epoll.modify(descriptor, events)

    def closed(self, descriptor: int) -> None:
        """It was closed, or is about to be: the kernel forgets it by itself."""
        self._watched[descriptor] = None

    def forget(self, descriptor: int) -> None:
        """Somebody else has it from now on."""
        self._watched[descriptor] = None
        self._epoll.unregister(descriptor)

    def later(self, unfinished: Unfinished) -> None:
        """Have it go on when others had their turn."""
        self._unfinished.append(unfinished)
        if self._call is None:
            self._call = self.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._call = None
        self.now = self.seconds()
        self.busy = True
        self.work = WORK
        unfinished, self._unfinished = deque(self._unfinished), []
        while unfinished and self.work > 0:
            each = unfinished.popleft()
            try:
                each.go_on()
            except Exception:
                self._fail(each)
        if unfinished:  # they come before those who had their turn
            self._unfinished = [*unfinished, *self._unfinished]
            if self._call is None:
                self._call = self.callLater(0, self._go_on)
        self._after()
        self.busy = False

    def _fail(self, one: Watched | Unfinished) -> None:
        """Whatever happens to one: the reactor would drop all if it heard of it."""
        try:
            one.fail()
        except Exception:
            self._log.failure("{one} failed at failing", one=one)

    # -- for the reactor

    def fileno(self) -> int:
        return self._epoll.fileno()

    def logPrefix(self) -> str:
        return "-"

    def connectionLost(self, reason: Failure) -> None:
        self._log.error("the poller was closed: {why}", why=reason.getErrorMessage())

    def doRead(self) -> None:
        """As L{portmux.net.poll.Poll.doRead}: what has become so meanwhile, too."""
        self.now = self.seconds()
        self.busy = True
        self.work = WORK
        watched = self._watched
        for _ in range(ROUNDS):
            if self._fresh:
                self._fresh.clear()
            found = self._epoll.poll(0, EVENTS)
            if not found:
                break
            for descriptor, events in found:
                one = watched[descriptor]
                if one is None:
                    continue  # closed by what happened on another one, just now
                try:
                    one.ready(events)
                except Exception:
                    self._fail(one)
            self._after()
            if len(found) > FEW or self.work <= 0 or self._epoll.closed:
                break
        self.busy = False

    # -- as a reactor

    def addReader(self, reader: Any) -> None:
        if reader not in self._readers:
            descriptor = self._readers[reader] = reader.fileno()
            self.watch(descriptor, _Reader(reader), IN)

    def removeReader(self, reader: Any) -> None:
        descriptor = self._readers.pop(reader, None)
        if descriptor is not None:
            self.forget(descriptor)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        if writer not in self._writers:
            descriptor = self._writers[writer] = writer.fileno()
            if self.busy:
                self._fresh.add(descriptor)
            self.watch(descriptor, _Writer(writer, self._fresh), OUT)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        descriptor = self._writers.pop(writer, None)
        if descriptor is not None:
            self.forget(descriptor)


class _Reader:
    """A reactor's reader, level-triggered."""

    _log = Logger()

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def ready(self, events: int) -> None:
        self._reader.doRead()

    def fail(self) -> None:
        self._log.failure("{what} failed", what=type(self._reader).__name__)


class _Writer:
    """
    A reactor's writer, level-triggered.

    What was told of a descriptor before it was closed and its number used again
    would be wrong here: a connection that is not there yet would be taken for
    one that is. If it is ready now, that is told once more.
    """

    _log = Logger()

    def __init__(self, writer: Any, fresh: set[int]) -> None:
        self._writer = writer
        self._fresh = fresh

    def ready(self, events: int) -> None:
        if self._writer.fileno() not in self._fresh:
            self._writer.doWrite()

    def fail(self) -> None:
        self._log.failure("{what} failed", what=type(self._writer).__name__)
