"""Test portmux.app.pidfile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.pidfile import PidFile
from portmux.errors import PortmuxError


def ended() -> int:
    """@return: the number of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


class PidFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()).absolute()
        self.file = PidFile(str(self.path))

    def refused(self) -> str:
        """@return: why the file cannot be taken; it is as before then."""
        before = self.path.read_bytes() if self.path.is_file() else None
        error = self.assertRaises(PortmuxError, self.file.take)
        if before is not None:
            self.assertEqual(self.path.read_bytes(), before)
        return str(error)

    def test_take(self) -> None:
        """Our number in decimal and nothing else; for its owner only."""
        before = os.umask(0)
        try:
            self.file.take()
        finally:
            os.umask(before)
        self.assertEqual(self.path.read_text(), str(os.getpid()))
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_drop(self) -> None:
        """Nothing is left, and nothing happens the second time."""
        self.file.take()
        self.file.drop()
        self.assertFalse(self.path.exists())
        self.file.drop()

    def test_drop_what_became_another_one_s(self) -> None:
        """A file that somebody else has taken stays."""
        self.file.take()
        for text in ("1", "no number"):
            self.path.write_text(text)
            self.file.drop()
            self.assertEqual(self.path.read_text(), text)

    def test_stale(self) -> None:
        """A file of a process that is gone is replaced, mode included."""
        self.path.write_text(f"{ended()}\n")
        self.path.chmod(0o666)
        self.file.take()
        self.assertEqual(self.path.read_text(), str(os.getpid()))
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_our_own_number(self) -> None:
        """In a container, the process before us had the same number."""
        self.path.write_text(str(os.getpid()))
        self.file.take()
        self.assertEqual(self.path.read_text(), str(os.getpid()))

    def test_empty(self) -> None:
        """Whoever left it was cut short."""
        self.path.write_text("")
        self.file.take()
        self.assertEqual(self.path.read_text(), str(os.getpid()))

    def test_live(self) -> None:
        """A file of a process that runs is not touched."""
        self.path.write_text(str(os.getppid()))
        self.assertEqual(
            self.refused(),
            f"the pid file {self.path} belongs to process {os.getppid()}, which runs",
        )

    def test_something_else(self) -> None:
        """What may be anything is not deleted, and no group is taken for a process."""
        for text in ("root:x:0:0", "0", "-1", "9" * 30, "٣", "1 2"):
            self.path.write_text(text)
            self.assertIn("holds no process id", self.refused())

    def test_no_file(self) -> None:
        """A directory is no file, nor is what is inside of nothing."""
        self.path.mkdir()
        self.assertEqual(
            self.refused(), f"cannot write the pid file {self.path}: is a directory"
        )
        inside = self.path / "no" / "such"
        error = self.assertRaises(PortmuxError, PidFile(str(inside)).take)
        self.assertEqual(
            str(error),
            f"cannot write the pid file {inside}: no such file or directory",
        )
