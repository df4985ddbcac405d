"""A reactor for tests: real descriptors, but time stands still and turns are ours."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.net.pidwatch import IReactor

PATIENCE = 20.0
"""Seconds for another process to do its part, on a busy machine."""


@implementer(IReactor)
class Polled(Clock):
    """A clock that also looks at descriptors, one L{turn} at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._readers: dict[Any, int] = {}
        self._writers: dict[Any, int] = {}

    def addReader(self, reader: Any) -> None:
        self._readers[reader] = reader.fileno()

    def addWriter(self, writer: Any) -> None:
        self._writers[writer] = writer.fileno()

    def removeReader(self, reader: Any) -> None:
        self._readers.pop(reader, None)

    def removeWriter(self, writer: Any) -> None:
        self._writers.pop(writer, None)

    def removeAll(self) -> list[Any]:
        found = self.getReaders() + self.getWriters()
        self._readers.clear()
        self._writers.clear()
        return found

    def getReaders(self) -> list[Any]:
        return list(self._readers)

    def getWriters(self) -> list[Any]:
        return list(self._writers)

    def turn(self, wait: float = 0.0) -> bool:
        """
        Do what descriptors and timers that are due ask for, once.

        @param wait: seconds for a first descriptor to become ready.
        @return: whether any descriptor was ready.
        """
        self.advance(0)
        readable, writable, _ = select.select(
            list(self._readers.values()), list(self._writers.values()), [], wait
        )
        for reader, descriptor in list(self._readers.items()):
            if descriptor in readable and reader in self._readers:
                self._lost(reader, reader.doRead(), True)
        for writer, descriptor in list(self._writers.items()):
            if descriptor in writable and writer in self._writers:
                self._lost(writer, writer.doWrite(), False)
        self.advance(0)
        return bool(readable or writable)

    def until(self, done: Callable[[], object]) -> None:
        """
        Turn until it is so.

        @raise AssertionError: nothing happens any more, and it is not.
        """
        while not done():
            assert self.turn(PATIENCE) or done(), "nothing happens any more"

    def _lost(self, selectable: Any, why: Exception | None, reading: bool) -> None:
        """As the reactors do: an end that was read may be that of one direction."""
        if not why:
            return
        self.removeReader(selectable)
        if (
            reading
            and isinstance(why, ConnectionDone)
            and IHalfCloseableDescriptor.providedBy(selectable)
        ):
            selectable.readConnectionLost(Failure(why))
        else:
            self.removeWriter(selectable)
            selectable.connectionLost(Failure(why))
