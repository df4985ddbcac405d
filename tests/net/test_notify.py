"""Test portmux.net.notify with real sockets."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import uuid
from pathlib import Path

from twisted.logger import (
    ILogObserver,
    LogEvent,
    formatEvent,
    globalLogPublisher,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from portmux.net.notify import notifier, watchdog


@implementer(ILogObserver)
class Heard:
    """@ivar texts: what was logged."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_namespace"] == "portmux.net.notify":
            self.texts.append(formatEvent(event))


class NotifierTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.heard = Heard()
        globalLogPublisher.addObserver(self.heard)
        self.addCleanup(globalLogPublisher.removeObserver, self.heard)

    def manager(self, address: str) -> socket.socket:
        """@return: a socket that receives messages."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.bind(address)
        sock.setblocking(False)
        return sock

    def test_path(self) -> None:
        """One message is one datagram; each variable is a line of it."""
        path = str(self.folder / "notify")
        manager = self.manager(path)
        tell = notifier({"NOTIFY_SOCKET": path})
        assert tell is not None
        tell(READY="1", STATUS="it runs")
        tell(STOPPING="1")
        self.assertEqual(manager.recv(4096), b"READY=1\nSTATUS=it runs")
        self.assertEqual(manager.recv(4096), b"STOPPING=1")

    def test_abstract(self) -> None:
        """C{@} stands for the zero octet that such a name begins with."""
        name = f"portmux-{uuid.uuid4()}"
        manager = self.manager("\0" + name)
        tell = notifier({"NOTIFY_SOCKET": f"@{name}"})
        assert tell is not None
        tell(WATCHDOG="1")
        self.assertEqual(manager.recv(4096), b"WATCHDOG=1")

    def test_nobody_listens(self) -> None:
        """It is no failure, and told once until it works again."""
        path = str(self.folder / "notify")
        tell = notifier({"NOTIFY_SOCKET": path})
        assert tell is not None
        tell(READY="1")
        tell(READY="1")
        missing = (
            f"cannot reach the service manager on {path}: no such file or directory"
        )
        self.assertEqual(self.heard.texts, [missing])
        manager = self.manager(path)
        tell(READY="1")
        self.assertEqual(manager.recv(4096), b"READY=1")
        manager.close()
        tell(READY="1")
        refused = f"cannot reach the service manager on {path}: connection refused"
        self.assertEqual(self.heard.texts, [missing, refused])

    def test_no_manager(self) -> None:
        """There is nobody to tell anything, and nothing to say about that."""
        self.assertIsNone(notifier({}))
        self.assertIsNone(notifier({"NOTIFY_SOCKET": ""}))
        self.assertEqual(self.heard.texts, [])

    def test_unknown_address(self) -> None:
        """What is not understood is said."""
        for address in ("vsock:2:1234", "relative/path", "@", "/"):
            self.assertIsNone(notifier({"NOTIFY_SOCKET": address}))
            self.assertIn(repr(address), self.heard.texts[-1])

    def test_nothing_stays_open(self) -> None:
        """A fork or an exec takes no socket along."""
        path = str(self.folder / "notify")
        self.manager(path)
        before = os.listdir("/proc/self/fd")
        tell = notifier({"NOTIFY_SOCKET": path})
        assert tell is not None
        tell(READY="1")
        self.assertEqual(len(os.listdir("/proc/self/fd")), len(before))


class WatchdogTests(SynchronousTestCase):
    def test_ours(self) -> None:
        """Named by our process id, or without any."""
        given = {"WATCHDOG_USEC": "30000000"}
        self.assertEqual(watchdog(given), 30.0)
        self.assertEqual(watchdog({**given, "WATCHDOG_PID": str(os.getpid())}), 30.0)

    def test_another_process(self) -> None:
        """A child of the watched one inherits the variables."""
        given = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getppid())}
        self.assertIsNone(watchdog(given))

    def test_none(self) -> None:
        """Nothing, or nothing that is a time."""
        for text in ("", "0", "-1", "1s", "²"):
            self.assertIsNone(watchdog({"WATCHDOG_USEC": text}))
        self.assertIsNone(watchdog({}))
