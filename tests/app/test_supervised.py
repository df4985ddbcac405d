"""Test portmux.app.supervised with a real socket and a clock."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.supervised import Supervised


class SupervisedTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        self.path = str(folder / "notify")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(self.path)
        self.manager.setblocking(False)
        self.clock = Clock()
        self.status = "all is well"

    def made(self, **environ: str) -> Supervised:
        """@return: a supervised program, not started."""
        variables = {"NOTIFY_SOCKET": self.path, **environ}
        return Supervised(variables, lambda: self.status)

    def heard(self) -> list[dict[str, str]]:
        """@return: the messages since the last call."""
        messages: list[dict[str, str]] = []
        while True:
            try:
                text = self.manager.recv(4096).decode()
            except BlockingIOError:
                return messages
            messages.append(dict(line.split("=", 1) for line in text.split("\n")))

    def started(self, **environ: str) -> Supervised:
        """@return: a program that has said that it is ready."""
        program = self.made(**environ)
        program.start(self.clock)
        self.clock.advance(0)
        self.assertEqual(self.heard(), [{"READY": "1", "STATUS": "all is well"}])
        return program

    def test_ready_when_the_reactor_turns(self) -> None:
        """Not before, because nothing is accepted before."""
        self.made().start(self.clock)
        self.assertEqual(self.heard(), [])
        self.clock.advance(0)
        self.assertEqual(self.heard(), [{"READY": "1", "STATUS": "all is well"}])

    def test_status_when_it_is_another(self) -> None:
        """An unchanged one costs no message."""
        self.started()
        self.clock.pump([10, 10])
        self.assertEqual(self.heard(), [])
        self.status = "busy"
        self.clock.pump([10, 10])
        self.assertEqual(self.heard(), [{"STATUS": "busy"}])

    def test_watchdog(self) -> None:
        """It hears from us twice in the time that it waits, and from the reactor."""
        self.started(WATCHDOG_USEC="4000000", WATCHDOG_PID=str(os.getpid()))
        self.clock.pump([1.9, 0.1, 2])
        self.assertEqual(self.heard(), [{"WATCHDOG": "1"}] * 2)

    def test_slow_watchdog(self) -> None:
        """One that waits for an hour does not make the status old."""
        self.started(WATCHDOG_USEC="3600000000")
        self.status = "busy"
        self.clock.advance(10)
        self.assertEqual(self.heard(), [{"STATUS": "busy", "WATCHDOG": "1"}])

    def test_reload(self) -> None:
        """It begins with the time that it begins at, and ends as a start does."""
        program = self.started()
        before = time.monotonic_ns() // 1000
        program.reloading()
        (message,) = self.heard()
        self.assertEqual(message.pop("RELOADING"), "1")
        began = int(message.pop("MONOTONIC_USEC"))
        self.assertTrue(before <= began <= time.monotonic_ns() // 1000)
        self.assertEqual(message, {})
        self.status = "refused"
        program.reloaded()
        self.assertEqual(self.heard(), [{"READY": "1", "STATUS": "refused"}])

    def test_stopping(self) -> None:
        """Said once; sessions that end slowly are not cut by the manager."""
        program = self.started(WATCHDOG_USEC="60000000")
        self.status = "about to end"
        program.stopping()
        program.stopping()
        longer = {"EXTEND_TIMEOUT_USEC": "30000000"}
        self.assertEqual(
            self.heard(), [{"STOPPING": "1", **longer, "STATUS": "about to end"}]
        )
        self.clock.advance(10)
        self.assertEqual(self.heard(), [{"WATCHDOG": "1", **longer}])
        program.stop()
        self.assertEqual(self.heard(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_at_once(self) -> None:
        """Also before it was ready: then it never says so."""
        program = self.made()
        program.start(self.clock)
        program.stop()
        self.assertEqual([message["STOPPING"] for message in self.heard()], ["1"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_alone(self) -> None:
        """Without a service manager there is no timer either."""
        program = Supervised({"WATCHDOG_USEC": "1000000"}, lambda: self.status)
        program.start(self.clock)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        program.reloading()
        program.reloaded()
        program.stopping()
        program.stop()
        self.assertEqual(self.heard(), [])
