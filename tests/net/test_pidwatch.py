"""Tests for L{portmux.net.pidwatch}: real processes, turned by hand."""

from __future__ import annotations

import os
from subprocess import PIPE, Popen
from unittest import skipUnless

from twisted.internet import process
from twisted.trial.unittest import SynchronousTestCase

from portmux.net.pidwatch import PidfdWatch, SignalWatch, watch
from tests.net.polled import Polled

PIDFDS = hasattr(os, "pidfd_open")


def held() -> Popen[bytes]:
    """@return: a process that ends, with status 3, when its input does."""
    return Popen(["sh", "-c", "cat; exit 3"], stdin=PIPE)


def let_go(child: Popen[bytes]) -> None:
    """Let the process end, and wait until it has; it is not waited for."""
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


def is_zombie(child: Popen[bytes]) -> bool:
    """@return: whether the process has ended and nobody has waited for it."""
    flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
    return os.waitid(os.P_PID, child.pid, flags) is not None


class WatchCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Polled()
        self.told: list[str] = []
        self.child = held()
        self.addCleanup(self._end)

    def _end(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()
        if self.child.returncode is None:
            self.child.wait()

    def ended(self) -> None:
        self.told.append("ended")

    def stopped(self) -> None:
        self.told.append("stopped")


@skipUnless(PIDFDS, "no pidfds here")
class PidfdWatchTests(WatchCase):
    def setUp(self) -> None:
        super().setUp()
        made = watch(self.child, self.reactor, self.ended, self.stopped)
        assert isinstance(made, PidfdWatch)
        self.watch = made

    def test_end_is_told_once_and_kept(self) -> None:
        """The process keeps its number until it is waited for."""
        self.reactor.turn()
        self.assertEqual(self.told, [])
        let_go(self.child)
        self.reactor.until(lambda: self.told)
        self.reactor.turn()
        self.assertEqual(self.told, ["ended"])
        self.assertTrue(is_zombie(self.child))
        self.watch.reap()
        self.assertEqual(self.child.returncode, 3)
        self.assertEqual(self.reactor.removeAll(), [])

    def test_reactor_stops(self) -> None:
        """A reactor that lets go of its readers says so, and blocks for nobody."""
        for reader in self.reactor.removeAll():
            reader.connectionLost(None)
        self.assertEqual(self.told, ["stopped"])
        self.assertIsNone(self.child.poll())


class SignalWatchTests(WatchCase):
    def test_end_is_told_once_and_kept(self) -> None:
        """As with a pidfd, when the reactor asks after SIGCHLD."""
        made = SignalWatch(self.child, self.reactor, self.ended)
        process.reapAllProcesses()
        let_go(self.child)
        self.reactor.turn()
        self.assertEqual(self.told, [])
        process.reapAllProcesses()
        process.reapAllProcesses()
        self.reactor.turn()
        self.assertEqual(self.told, ["ended"])
        self.assertTrue(is_zombie(self.child))
        made.reap()
        self.assertEqual(self.child.returncode, 3)
        self.assertNotIn(self.child.pid, process.reapProcessHandlers)

    def test_ended_before_it_was_watched(self) -> None:
        """Twisted waits for such a process at once; its status is not lost."""
        let_go(self.child)
        made = SignalWatch(self.child, self.reactor, self.ended)
        self.assertEqual(self.told, [])
        self.reactor.turn()
        self.assertEqual(self.told, ["ended"])
        made.reap()
        self.assertEqual(self.child.returncode, 3)

    @skipUnless(PIDFDS, "no pidfds here")
    def test_when_there_is_no_pidfd(self) -> None:
        """An old system, or one that forbids them, is served as well."""

        def refuse(pid: int) -> int:
            raise OSError("not permitted")

        self.patch(os, "pidfd_open", refuse)
        made = watch(self.child, self.reactor, self.ended, self.stopped)
        self.assertIsInstance(made, SignalWatch)
        let_go(self.child)
        process.reapAllProcesses()
        self.reactor.turn()
        made.reap()
        self.assertEqual(self.told, ["ended"])
