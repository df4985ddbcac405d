"""
What the process does when it is told something by a signal.

Installed once the reactor runs: it sets handlers of its own when it starts,
and under twistd those would kill the process with the signal's status.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

from twisted.logger import Logger

_log = Logger()


class Told(Protocol):
    """What can be asked of the program by signals."""

    def drain(self) -> None: ...
    def reload(self) -> None: ...
    def rotate(self) -> None: ...


def install(portmux: Told, reactor: Any) -> None:
    """TERM, INT, QUIT: drain, again: stop. HUP: reload. USR1: new log files."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        _handle(number, reactor, portmux.drain)
    _handle(signal.SIGHUP, reactor, portmux.reload)
    _handle(signal.SIGUSR1, reactor, portmux.rotate, signal.getsignal(signal.SIGUSR1))


def _handle(
    number: signal.Signals, reactor: Any, act: Callable[[], None], before: Any = None
) -> None:
    """@param before: an earlier handler that is called as well, such as twistd's."""

    def told(received: int, frame: FrameType | None) -> None:
        reactor.callFromThread(_act, number, act)
        if callable(before):
            before(received, frame)

    signal.signal(number, told)


def _act(number: signal.Signals, act: Callable[[], None]) -> None:
    _log.info("signal {name}", name=number.name)
    act()
