"""Test portmux.app.state."""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path
from typing import cast

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from portmux.app import state
from portmux.app.build import registry
from portmux.config.changes import Changes
from portmux.config.sources.tunnel import tunnel
from portmux.errors import PortmuxError


class StateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = self.folder / "state"

    def read(self) -> Changes:
        return state.read("state", str(self.folder), registry())

    def test_kept(self) -> None:
        """Nobody else can read it; nothing of the writing stays behind."""
        made = Changes().opened(tunnel("1=2")).treated("p", "a:1", weight=2)
        state.write("state", str(self.folder), made)
        self.assertEqual(self.read(), made)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(list(self.folder.iterdir()), [self.path])
        state.write("state", str(self.folder), Changes())
        self.assertEqual(self.read(), Changes())

    def test_missing(self) -> None:
        self.assertEqual(self.read(), Changes())

    def test_none(self) -> None:
        """Nothing is read, nor written."""
        state.write(None, str(self.folder), Changes().opened(tunnel("1=2")))
        self.assertEqual(list(self.folder.iterdir()), [])
        kept = state.read(None, str(self.folder), registry())
        self.assertEqual(kept, Changes())

    def test_faults(self) -> None:
        """Each with its place."""
        self.path.write_text("closed: [a]\nopened: []\n")
        error = self.assertRaises(PortmuxError, self.read)
        self.assertIn("state:2:1: opened: unknown key", str(error))
        self.path.unlink()
        self.path.mkdir()
        error = self.assertRaises(PortmuxError, self.read)
        self.assertIn("cannot be read: is a directory", str(error))

    def test_cannot_be_written(self) -> None:
        """The old one stays, and the log says so."""
        heard: list[LogEvent] = []
        hear = cast(ILogObserver, heard.append)
        globalLogPublisher.addObserver(hear)
        self.addCleanup(globalLogPublisher.removeObserver, hear)
        state.write("no/state", str(self.folder), Changes())
        self.assertIn("cannot be written: no such file", formatEvent(heard[-1]))
