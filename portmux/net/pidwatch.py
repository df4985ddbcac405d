"""
Learn of a child process' end, without asking again and again.

A process that has ended keeps its number until it is waited for; so does its
process group, and a signal to the group can hit nobody else. Hence a watch
only says that the process has ended: whoever watches waits for it when no
more signals are to be sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from subprocess import Popen
from typing import Protocol

from twisted.internet import process
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.python.failure import Failure


class IReactor(IReactorTime, IReactorFDSet):
    """What a child process needs of the reactor: timers and descriptors."""


class Watch(Protocol):
    """What became of a child process will be told; see L{watch}."""

    def reap(self) -> None:
        """Wait for the process, whose end was told; its number is free from here on."""


def watch(
    child: Popen[bytes],
    reactor: IReactor,
    ended: Callable[[], None],
    stopped: Callable[[], None],
) -> Watch:
    """
    @param ended: called once, in a later turn of the reactor, when the process
        can be waited for or (without pidfds, when it was very quick) has been.
    @param stopped: called instead when the reactor stops while the process
        runs; only with pidfds.
    """
    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):  # not Linux, before 5.3, or forbidden
        return SignalWatch(child, reactor, ended)
    return PidfdWatch(child, reactor, descriptor, ended, stopped)


class PidfdWatch(FileDescriptor):
    """A descriptor that becomes readable when the process ends."""

    def __init__(
        self,
        child: Popen[bytes],
        reactor: IReactor,
        descriptor: int,
        ended: Callable[[], None],
        stopped: Callable[[], None],
    ) -> None:
        super().__init__(reactor)
        self._child = child
        self._descriptor = descriptor
        self._ended = ended
        self._stopped = stopped
        self.connected = 1
        self.startReading()

    def fileno(self) -> int:
        return self._descriptor

    def doRead(self) -> None:
        self.stopReading()
        self._ended()

    def reap(self) -> None:
        """As L{Watch.reap}."""
        self._close()
        self._child.wait()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor lets go of everything it watches."""
        if not self.disconnected:
            self._close()
            self._stopped()

    def _close(self) -> None:
        if not self.disconnected:
            super().connectionLost(Failure(ConnectionDone()))
            os.close(self._descriptor)


class SignalWatch:
    """The reactor asks at each SIGCHLD."""

    def __init__(
        self, child: Popen[bytes], reactor: IReactor, ended: Callable[[], None]
    ) -> None:
        self._child = child
        self._reactor = reactor
        self._ended = ended
        self._told = False
        process.registerReapProcessHandler(child.pid, self)

    def reapProcess(self) -> None:
        """A child of ours has ended; perhaps this one, which stays to be waited for."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if not self._told and os.waitid(os.P_PID, self._child.pid, flags) is not None:
            self._tell()

    def processEnded(self, status: int) -> None:
        """It had ended before it was registered, and Twisted has waited for it."""
        self._child.returncode = os.waitstatus_to_exitcode(status)
        self._tell()

    def reap(self) -> None:
        """As L{Watch.reap}."""
        if self._child.pid in process.reapProcessHandlers:
            process.unregisterReapProcessHandler(self._child.pid, self)
        self._child.wait()

    def _tell(self) -> None:
        self._told = True
        self._reactor.callLater(0, self._ended)
