"""Test portmux.app.signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.close import Close
from portmux.app.signals import Signals
from portmux.config.model import Bind, Config, Listener
from portmux.core.address import Host

CONFIG = Config(
    listeners={"front": Listener(bind=(Bind(Host("*", 1)),), action=Close())}
)

ALL = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
)


class Starting:
    """
    A reactor that is about to run.

    @ivar startup: called when its handlers are there and nothing else is.
    """

    startup: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self) -> None:
        self._when_running: list[Callable[[], None]] = []
        self._calls: list[Callable[[], None]] = []

    def callWhenRunning(self, call: Callable[..., None], *given: Any) -> None:
        self._when_running.append(lambda: call(*given))

    def callFromThread(self, call: Callable[..., None], *given: Any) -> None:
        self._calls.append(lambda: call(*given))

    def run(self) -> None:
        """Start as Twisted's does, then do what was asked for."""
        signal.signal(signal.SIGTERM, self.sigTerm)
        signal.signal(signal.SIGINT, self.sigInt)
        self.startup()
        self._empty(self._when_running)
        self.turn()

    def sigTerm(self, number: int, frame: FrameType | None = None) -> None:
        raise AssertionError("the process ends by the signal")

    sigInt = sigTerm

    def turn(self) -> None:
        """Do what signals have asked for."""
        self._empty(self._calls)

    def _empty(self, calls: list[Callable[[], None]]) -> None:
        while calls:
            calls.pop(0)()


class Deeds:
    """@ivar done: what was asked for, in order."""

    def __init__(self) -> None:
        self.config = CONFIG
        self.done: list[str] = []

    def drain(self) -> None:
        self.done.append("drain")

    def reload(self) -> None:
        self.done.append("reload")

    def rotate(self) -> None:
        self.done.append("rotate")


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


class SignalsTests(SynchronousTestCase):
    def setUp(self) -> None:
        for number in ALL:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.reactor = Starting()
        self.deeds = Deeds()
        self.signals = Signals()

    def test_each(self) -> None:
        """Three mean the end, HUP a reload, USR1 new files."""
        self.signals.install(self.deeds, self.reactor)
        self.reactor.run()
        for number in ALL:
            send(number)
        self.assertEqual(self.deeds.done, [], "in the middle of anything")
        self.reactor.turn()
        expected = ["drain", "drain", "drain", "reload", "rotate"]
        self.assertEqual(self.deeds.done, expected)

    def test_hup_may_mean_the_end(self) -> None:
        """The configuration of that moment says so."""
        self.signals.install(self.deeds, self.reactor)
        self.reactor.run()
        for config in (attrs.evolve(CONFIG, hangup="drain"), CONFIG):
            self.deeds.config = config
            send(signal.SIGHUP)
            self.reactor.turn()
        self.assertEqual(self.deeds.done, ["drain", "reload"])

    def test_before_the_reactor_runs(self) -> None:
        """What comes early is done when it can be."""
        self.signals.install(self.deeds, self.reactor)
        send(signal.SIGTERM)
        send(signal.SIGHUP)
        self.reactor.run()
        self.assertEqual(self.deeds.done, ["drain", "reload"])

    def test_while_the_reactor_starts(self) -> None:
        """Its own handlers would have the process end with the signal's status."""
        self.signals.install(self.deeds, self.reactor)

        def all_at_once() -> None:
            for number in ALL:
                send(number)

        self.reactor.startup = all_at_once
        self.reactor.run()
        self.assertEqual(
            self.deeds.done, ["drain", "drain", "drain", "reload", "rotate"]
        )

    def test_hup_while_the_configuration_is_read(self) -> None:
        """It neither kills nor is it forgotten."""
        self.signals.hold()
        send(signal.SIGHUP)
        self.signals.install(self.deeds, self.reactor)
        self.assertEqual(self.deeds.done, [])
        self.reactor.run()
        self.assertEqual(self.deeds.done, ["reload"])

    def test_no_hup_no_reload(self) -> None:
        """Holding alone asks for nothing."""
        self.signals.hold()
        self.signals.install(self.deeds, self.reactor)
        self.reactor.run()
        self.assertEqual(self.deeds.done, [])

    def test_handler_of_usr1_before(self) -> None:
        """twistd goes on turning over its own log, once for each signal."""
        turned: list[int] = []
        signal.signal(signal.SIGUSR1, lambda number, frame: turned.append(number))
        self.signals.install(self.deeds, self.reactor)
        self.reactor.run()
        send(signal.SIGUSR1)
        self.reactor.turn()
        self.assertEqual(turned, [signal.SIGUSR1])
        self.assertEqual(self.deeds.done, ["rotate"])
