"""
An epoll of our own, which the reactor sees as a single descriptor.

The reactor gives each event of each descriptor a logging context and asks the
descriptor for its interfaces; for short connections that is a fifth of all the
work (measured). Here an event costs two lookups and the call.
"""

from __future__ import annotations

import select
from typing import Any, Final

from twisted.internet import main
from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

BATCH: Final = 256
"""Events carried out before the reactor's other work has its turn (taste)."""

ROUNDS: Final = 16
"""Times that events are asked for before that (taste)."""

FEW: Final = 2
"""Events at a time of which the next ones are waited for: where there are more, what
comes meanwhile is better gone through together (measured)."""

_IN: Final = select.EPOLLIN
_OUT: Final = select.EPOLLOUT
_TROUBLE: Final = select.EPOLLERR | select.EPOLLHUP
_READABLE: Final = _IN | _TROUBLE
_WRITABLE: Final = _OUT | _TROUBLE

_KNOWN: Final[dict[Exception, Failure]] = {
    main.CONNECTION_DONE: Failure(main.CONNECTION_DONE),
    main.CONNECTION_LOST: Failure(main.CONNECTION_LOST),
}


@implementer(IReadDescriptor)
class Poll:
    """
    Watches descriptors as a reactor does: C{doRead}, C{doWrite}, C{connectionLost}.

    An error that the kernel reports is never told as such: reading or writing,
    whichever is wanted, comes upon it and knows more.

    The lane's L{portmux.net.lane.poller.Poller} can be asked the same, but what is
    behind it is another: to share that costs a call for each event, which is one
    part in a hundred of a short connection here (measured, in instructions); and
    there a mistake costs one event, here the descriptor.
    """

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        """@param reactor: where it appears as long as there is something to watch."""
        self._reactor = reactor
        self.seconds = reactor.seconds
        self.callLater = reactor.callLater
        self._epoll: select.epoll | None = None
        self._wanted: dict[int, int] = {}
        self._watched: dict[int, Any] = {}
        self._fresh: set[int] = set()  # since events were last asked for

    # -- as reactors do

    def addReader(self, reader: Any) -> None:
        """Call C{doRead} whenever there is something to read."""
        self._add(reader, _IN)

    def addWriter(self, writer: Any) -> None:
        """Call C{doWrite} whenever there is room to write."""
        self._add(writer, _OUT)

    def removeReader(self, reader: Any) -> None:
        """It need not be watched, nor have a descriptor any more."""
        self._remove(reader, _IN)

    def removeWriter(self, writer: Any) -> None:
        """It need not be watched, nor have a descriptor any more."""
        self._remove(writer, _OUT)

    def forget(self, descriptor: Any) -> None:
        """Watch it no more; its socket is closed next, which tells the kernel."""
        fd = descriptor.fileno()
        if self._watched.get(fd) is descriptor:
            self._drop(fd)

    # -- IReadDescriptor

    def fileno(self) -> int:
        return self._epoll.fileno() if self._epoll is not None else -1

    def logPrefix(self) -> str:
        return "-"

    def connectionLost(self, reason: Failure) -> None:
        """Never: nobody else closes the epoll."""

    def doRead(self) -> None:
        """
        Tell all that is so, and what has become so meanwhile.

        Mostly that is an answer to what was just passed on: to wait for it takes
        half as long as to find out from here as by way of the reactor (measured).
        """
        for _ in range(ROUNDS):
            if self._epoll is None:
                break  # nobody is left
            self._fresh.clear()
            found = self._epoll.poll(0, BATCH)
            if not found:
                break
            self._tell(found)
            if len(found) > FEW:
                break

    def _tell(self, found: list[tuple[int, int]]) -> None:
        watched, wanted, fresh = self._watched, self._wanted, self._fresh
        for fd, event in found:
            descriptor = watched.get(fd)
            if descriptor is None or fd in fresh:
                continue  # it was told of another, which an event before has ended
            why: Exception | None = None
            try:
                if event & _READABLE and wanted[fd] & _IN:
                    why = descriptor.doRead()
                still = descriptor is watched.get(fd)
                if event & _WRITABLE and not why and still and wanted[fd] & _OUT:
                    why = descriptor.doWrite()
            except Exception as error:
                self._log.failure("{descriptor} failed", descriptor=descriptor)
                why = error
            if why:
                self._lose(descriptor, why)

    def _lose(self, descriptor: Any, why: Exception) -> None:
        self.removeReader(descriptor)
        self.removeWriter(descriptor)
        descriptor.connectionLost(_KNOWN.get(why) or Failure(why))

    def _add(self, descriptor: Any, what: int) -> None:
        fd = descriptor.fileno()
        before = self._wanted.get(fd)
        if before is None:
            epoll = self._epoll or self._open()
            epoll.register(fd, what)
            self._wanted[fd] = what
            self._watched[fd] = descriptor
            self._fresh.add(fd)
        elif not before & what:
            assert self._epoll is not None
            self._epoll.modify(fd, before | what)
            self._wanted[fd] = before | what

    def _remove(self, descriptor: Any, what: int) -> None:
        fd = descriptor.fileno()
        before = self._wanted.get(fd)
        if before is None or not before & what or self._watched[fd] is not descriptor:
            return
        assert self._epoll is not None
        if before == what:
            self._epoll.unregister(fd)
            self._drop(fd)
        else:
            self._epoll.modify(fd, before & ~what)
            self._wanted[fd] = before & ~what

    def _drop(self, fd: int) -> None:
        del self._wanted[fd], self._watched[fd]
        if not self._wanted:
            self._close()

    def _open(self) -> select.epoll:
        """Not before it is needed: the process forks until then."""
        self._epoll = select.epoll()
        self._reactor.addReader(self)
        return self._epoll

    def _close(self) -> None:
        assert self._epoll is not None
        self._reactor.removeReader(self)
        self._epoll.close()
        self._epoll = None


def poll_of(reactor: Any) -> Any:
    """@return: where to have descriptors watched: the reactor, where epoll is not."""
    return Poll(reactor) if hasattr(select, "epoll") else reactor
