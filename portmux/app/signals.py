"""
What the process does when it is told something by a signal.

The reactor sets methods of its own as handlers when it starts, and under twistd those
would kill the process with the signal's status: so ours stand in their place.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, Final, Protocol

from twisted.logger import Logger

from portmux.config.model import Config

_log = Logger()

_ENDS: Final = {
    signal.SIGTERM: "sigTerm",
    signal.SIGINT: "sigInt",
    signal.SIGQUIT: "",
}
"""Each with the reactor's method for it, which is public; it has none for QUIT."""


class Told(Protocol):
    """What can be asked of the program by signals."""

    @property
    def config(self) -> Config: ...

    def drain(self) -> None: ...
    def reload(self) -> object: ...
    def rotate(self) -> None: ...


class Signals:
    """
    TERM, INT, QUIT: drain, again: stop. HUP: reload, or as TERM. USR1: new log files.
    """

    def __init__(self) -> None:
        self._early = False

    def hold(self) -> None:
        """
        Keep a HUP for later that comes before L{install}; it would kill us.

        To be called before the configuration is read: what changes after that
        is not missed.
        """
        signal.signal(signal.SIGHUP, self._held)

    def install(self, told: Told, reactor: Any) -> None:
        """
        Obey from now on; what is asked for is done once the reactor runs.

        A handler of USR1 that is there already, such as twistd's, stays in use.
        """
        for number, handler in _ENDS.items():
            ours = _handle(number, reactor, told.drain)
            if handler:
                setattr(reactor, handler, ours)
        before = signal.getsignal(signal.SIGUSR1)
        _handle(signal.SIGUSR1, reactor, told.rotate, before)
        hang_up = partial(_hang_up, told)
        _handle(signal.SIGHUP, reactor, hang_up)
        if self._early:
            reactor.callWhenRunning(_act, signal.SIGHUP, hang_up)

    def _held(self, number: int, frame: FrameType | None) -> None:
        self._early = True


def _hang_up(told: Told) -> None:
    if told.config.hangup == "drain":
        told.drain()
    else:
        told.reload()


def _handle(
    number: signal.Signals, reactor: Any, act: Callable[[], object], before: Any = None
) -> Callable[..., None]:
    """
    @param before: an earlier handler that is called as well.
    @return: the handler from now on.
    """

    def told(received: int, frame: FrameType | None = None) -> None:
        reactor.callFromThread(_act, number, act)
        if callable(before):
            before(received, frame)

    signal.signal(number, told)
    return told


def _act(number: signal.Signals, act: Callable[[], object]) -> None:
    _log.info("signal {name}", name=number.name)
    act()
