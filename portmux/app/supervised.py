"""What the service manager hears from start to end. @see: sd_notify(3)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

from portmux.net.notify import notifier, watchdog

BEAT: Final = 10.0
"""Seconds between two looks at what the status line says (taste)."""

EXTENSION: Final = 30.0
"""Seconds that the end may take from each beat on: some beats may come late."""


class Supervised:
    """
    A program that may run under a service manager; without one it says nothing.

    It is the reactor that beats: once that hangs, so does the program.
    """

    def __init__(self, environ: Mapping[str, str], status: Callable[[], str]) -> None:
        """@param status: one line for C{systemctl status}."""
        self._tell = notifier(environ)
        self._environ = environ
        self._status = status
        self._said = ""
        self._stopping = False
        self._watched = False
        self._pause = BEAT
        self._clock: Any = None
        self._due: IDelayedCall | None = None

    def start(self, reactor: Any) -> None:
        """Say that it is ready: in the reactor's first turn, when it accepts."""
        if self._tell is None:
            return
        limit = watchdog(self._environ)  # asked now: the process has forked
        if limit is not None:
            self._watched = True
            self._pause = min(BEAT, limit / 2)
        self._clock = reactor
        self._due = reactor.callLater(0, self._ready)

    def reloading(self) -> None:
        """From here on, until L{reloaded}."""
        if self._tell is not None:
            # CLOCK_MONOTONIC, which is the same for all processes.
            now = time.monotonic_ns() // 1000
            self._tell(RELOADING="1", MONOTONIC_USEC=str(now))

    def reloaded(self) -> None:
        """It runs on: with the new configuration, or still with the old one."""
        if self._tell is not None:
            self._tell(READY="1", **self._news())

    def stopping(self) -> None:
        """It is about to end, and lets sessions end before."""
        if self._tell is not None and not self._stopping:
            self._stopping = True
            self._tell(STOPPING="1", **self._more_time(), **self._news())

    def stop(self) -> None:
        """It ends; nothing is said any more."""
        self.stopping()
        if self._due is not None and self._due.active():
            self._due.cancel()

    def _ready(self) -> None:
        if self._tell is not None:
            self._tell(READY="1", **self._news())
            self._due = self._clock.callLater(self._pause, self._beat)

    def _beat(self) -> None:
        assert self._tell is not None
        self._due = self._clock.callLater(self._pause, self._beat)
        message = self._news()
        if self._watched:
            message["WATCHDOG"] = "1"
        if self._stopping:
            message |= self._more_time()
        if message:
            self._tell(**message)

    def _more_time(self) -> dict[str, str]:
        """How long the end may take is for the option C{drain} to say."""
        return {"EXTEND_TIMEOUT_USEC": str(int(EXTENSION * 1e6))}

    def _news(self) -> dict[str, str]:
        before, self._said = self._said, self._status()
        return {} if self._said == before else {"STATUS": self._said}
