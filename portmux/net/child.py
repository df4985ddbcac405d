"""The life of a program that was started: fed, read, told to end, waited for."""

from __future__ import annotations

import os
import signal
from subprocess import Popen
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from portmux.net.pidwatch import IReactor, Watch, watch
from portmux.net.pipes import PipeReader, PipeWriter


class Output(Protocol):
    """Takes what a program writes to one of its two outputs."""

    def received(self, data: bytes) -> None:
        """Bytes, at least one."""

    def ended(self) -> None:
        """No more will come, but the program may run on. Once."""


@attrs.frozen
class Exit:
    """
    How a program ended.

    @ivar status: the program's own, 0 to 255; below 0, minus the signal that
        ended it.
    @ivar late: it had run longer than it may.
    """

    status: int
    late: bool = False

    def __str__(self) -> str:
        if self.status >= 0:
            return f"exit status {self.status}"
        try:
            return f"killed by {signal.Signals(-self.status).name}"
        except ValueError:  # most real-time signals have no name
            return f"killed by signal {-self.status}"


class Child:
    """
    It is over when the program has ended and its standard output as well.

    A descendant that holds standard output open is part of it, as under inetd;
    one that runs on with its output elsewhere is not ours. The program is
    waited for only then: until then its number is that of its group for sure.

    @ivar stdin: a consumer: what is written to the program.
    @ivar stdout: a push producer: what the program writes.
    """

    _log = Logger()

    def __init__(
        self,
        process: Popen[bytes],
        stdin: PipeWriter,
        stdout: int,
        stderr: int,
        output: Output,
        errors: Output,
        reactor: IReactor,
        kill_after: float,
        max_time: float | None,
    ) -> None:
        """
        @param process: leads a process group.
        @param stdout: a descriptor, as C{stderr}; not blocking.
        @param kill_after: seconds from SIGHUP to SIGKILL.
        @param max_time: seconds to SIGHUP; None: any time.
        """
        self.stdin = stdin
        self.stdout = PipeReader(reactor, stdout, output.received, self._closed)
        self._stderr = PipeReader(reactor, stderr, errors.received, errors.ended)
        self._output = output
        self._process = process
        self._reactor = reactor
        self._kill_after = kill_after
        self._timers: list[IDelayedCall] = []
        self._waiting: list[Deferred[Exit]] = []
        self._exit: Exit | None = None
        self._left = self._late = self._stopping = False
        self._watch: Watch = watch(process, reactor, self._ended, self._abandoned)
        if max_time is not None:
            self._timers.append(reactor.callLater(max_time, self._overdue))

    @property
    def pid(self) -> int:
        """The program's number; also its group's."""
        return self._process.pid

    def wait(self) -> Deferred[Exit]:
        """@return: fires when all is over; to cancel it stops the waiting only."""
        if self._exit is not None:
            return succeed(self._exit)
        waiting: Deferred[Exit] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def stop(self) -> None:
        """Have it end: SIGHUP to its group, and after a while L{kill}."""
        if self._stopping or self._exit is not None:
            return
        self._stopping = True
        self._timers.append(self._reactor.callLater(self._kill_after, self.kill))
        self._signal(signal.SIGHUP)
        self._signal(signal.SIGCONT)  # one that is stopped could not obey

    def kill(self) -> None:
        """End it: SIGKILL to its group, and no more is read or written."""
        self._stopping = True
        self._signal(signal.SIGKILL)
        self.stdin.close()
        self.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is not None:  # waited for: the number is free
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return  # somebody waits for all children of ours
        except PermissionError:
            self._log.warn(
                "may not send {signal} to process group {pid}: it is another user's",
                signal=number.name,
                pid=self.pid,
            )

    def _overdue(self) -> None:
        self._late = True
        self.stop()

    def _closed(self) -> None:
        self._output.ended()
        self._settle()

    def _ended(self) -> None:
        self._left = True
        self._settle()

    def _abandoned(self) -> None:
        """The reactor stops: nothing of ours shall outlive it."""
        self._signal(signal.SIGKILL)

    def _settle(self) -> None:
        if not self._left or not self.stdout.disconnected or self._exit is not None:
            return
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self.stdin.close()
        self._stderr.finish()
        self._watch.reap()
        self._exit = Exit(self._process.returncode, self._late)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(self._exit)
