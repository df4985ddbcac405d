"""
The parent's ends of a program's pipes or terminal, as reactor descriptors.

Both directions have backpressure: a L{PipeReader} is a push producer, a
L{PipeWriter} a consumer. A terminal is used by one of each over two
descriptors of the same open file, because a hang-up reported to a descriptor
that only writes must not close the one that still has output to read.
"""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Callable
from typing import Final

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorFDSet
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.python.failure import Failure

from portmux.net.pidwatch import IReactor

CHUNK: Final = 64 * 1024
"""Octets of one read: what a pipe of Linux holds."""

REST: Final = 1024 * 1024
"""Octets read at most once a pipe was reported closed: the largest pipe there is."""

DONE: Final = Failure(ConnectionDone())


def has_hung_up(descriptor: int) -> bool:
    """
    @return: whether the other end is closed.

    A reactor may say so of a descriptor that was closed a moment ago, by what
    happened on another one, and whose number a new pipe has got since.
    """
    asked = select.poll()
    asked.register(descriptor, 0)
    return bool(asked.poll(0))


class PipeReader(FileDescriptor):
    """
    Read until end of file, and say so once.

    Reads from the start; whoever cannot keep up calls C{pauseProducing}.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        descriptor: int,
        received: Callable[[bytes], None],
        ended: Callable[[], None],
    ) -> None:
        """
        @param descriptor: not blocking; closed by this object.
        @param ended: called once, also when we close.
        """
        super().__init__(reactor)
        self._descriptor = descriptor
        self._received = received
        self._ended = ended
        self.connected = 1
        self.startReading()

    def fileno(self) -> int:
        return self._descriptor

    def doRead(self) -> ConnectionDone | None:
        """Give away one chunk; a terminal's hang-up (EIO) is an end like any other."""
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_DONE
        if not data:
            return CONNECTION_DONE
        self._received(data)
        return None

    def finish(self) -> None:
        """
        Give away what was written by now, then close.

        The poller may learn that the other end is closed before it learns of the
        last bytes, so they are looked for once more.
        """
        if self.disconnected:
            return
        rest = REST
        try:
            while rest > 0 and (data := self._read_rest()):
                rest -= len(data)
                self._received(data)
        finally:
            self._close()

    def close(self) -> None:
        """Close at once."""
        if not self.disconnected:
            self._close()

    def stopProducing(self) -> None:
        """Nobody wants the output any more."""
        self.close()

    def connectionLost(self, reason: Failure) -> None:
        """The other end is closed, or was that of another pipe."""
        if not self.disconnected and not has_hung_up(self._descriptor):
            self.startReading()
        else:
            self.finish()

    def _read_rest(self) -> bytes:
        if self.disconnected:
            return b""
        try:
            return os.read(self._descriptor, CHUNK)
        except OSError:
            return b""

    def _close(self) -> None:
        if self.disconnected:
            return
        super().connectionLost(DONE)
        os.close(self._descriptor)
        self._ended()


AGAIN: Final = 1.0
"""Seconds between two ends of file that a terminal is told (taste)."""

Farewell = Callable[[int, bytes], bytes]
"""Given a descriptor and the last octet written: what says that no more will come."""


def end_of_file(descriptor: int, last: bytes) -> bytes:
    """
    A terminal's farewell: its end-of-file character, as its settings are now.

    In the middle of a line the first one only delivers that part of the line.

    @see: POSIX.1-2017, XBD 11.1.6 (canonical mode), 11.1.9 (special characters).
    """
    try:
        settings = termios.tcgetattr(descriptor)
    except termios.error:  # hung up
        return b""
    special: bytes = settings[6][termios.VEOF]
    if special == b"\0":  # _POSIX_VDISABLE: this terminal has no end of file
        return b""
    ends = {b"", b"\n", special}
    if settings[0] & termios.ICRNL:
        ends.add(b"\r")
    return special if last in ends else special * 2


class PipeWriter(FileDescriptor):
    """
    Write to a program that may stop reading at any time.

    At most C{bufferSize} octets wait here before the producer is paused. When
    the program reads no more, what is written is dropped, and the producer
    goes on: its own end must still be heard of.
    """

    def __init__(
        self,
        reactor: IReactor,
        descriptor: int,
        farewell: Farewell | None = None,
    ) -> None:
        """
        @param descriptor: not blocking; closed by this object.
        @param farewell: None where closing says that no more will come; else
            it is said until L{close} is called.
        """
        super().__init__(reactor)
        self._clock = reactor
        self._descriptor = descriptor
        self._farewell = farewell
        self._last = b""
        self._ending = False
        self._again: IDelayedCall | None = None
        self.connected = 1

    def fileno(self) -> int:
        return self._descriptor

    def doRead(self) -> None:
        """Only ever told of another that had this number; see L{has_hung_up}."""

    def write(self, data: bytes) -> None:
        if data and not self._ending:
            self._last = data[-1:]
            super().write(data)

    def end(self) -> None:
        """No more will be written: close once all is delivered."""
        if self._ending or self.disconnected:
            return
        self._ending = True
        self._let_go()
        if self._farewell is None:
            self.loseConnection()
        else:
            super().write(self._farewell(self._descriptor, self._last))
            self._again = self._clock.callLater(AGAIN, self._say_again)

    def _say_again(self) -> None:
        """
        A terminal's end of file is a character, and is forgotten.

        One program may have taken it, and the next one waits; or it was typed
        before the program has set the terminal to its liking.
        """
        self._again = self._clock.callLater(AGAIN, self._say_again)
        if self._farewell is not None and not self.dataBuffer:
            super().write(self._farewell(self._descriptor, b""))

    def close(self) -> None:
        """Close at once."""
        if self.disconnected:
            return
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._let_go()
        super().connectionLost(DONE)
        os.close(self._descriptor)

    def writeSomeData(self, data: bytes) -> int | ConnectionLost:
        if not data:
            return 0
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError:
            return CONNECTION_LOST

    def connectionLost(self, reason: Failure) -> None:
        """All was written that was to be, or the other end is closed, or another's."""
        left = self.dataBuffer or self._tempDataBuffer
        if left and not self.disconnected and not has_hung_up(self._descriptor):
            self.startWriting()
        else:
            self.close()

    def _let_go(self) -> None:
        """Leave the producer running; Twisted's way would be to stop it."""
        producer, paused = self.producer, self.producerPaused
        self.unregisterProducer()
        self.producerPaused = False
        if paused and IPushProducer.providedBy(producer):
            producer.resumeProducing()
