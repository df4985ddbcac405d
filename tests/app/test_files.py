"""Test portmux.app.files."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.echo import Echo
from portmux.app.files import Files
from portmux.config.model import Bind, Config, Listener, Log
from portmux.core.address import Host
from portmux.errors import PortmuxError

LISTENERS = {"front": Listener(bind=(Bind(Host("127.0.0.1", 0)),), action=Echo())}


def config(access: str | None = None, pid: str | None = None) -> Config:
    """@return: one with these files."""
    return Config(listeners=LISTENERS, log=Log(access=access), pid=pid)


class FilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.clock = Clock()
        self.none = self.files()

    def files(self, own_pid_file: bool = True) -> Files:
        """@return: what there is before anything is opened."""
        return Files(lambda: self.clock, own_pid_file, str(self.folder))

    def names(self) -> list[str]:
        """@return: the files that are there."""
        return sorted(one.name for one in self.folder.iterdir())

    def test_none(self) -> None:
        """Without names there are no files."""
        made = self.none.following(config())
        self.assertEqual((made.access, made.pid, self.names()), (None, None, []))
        made.close()

    def test_both(self) -> None:
        """Relative names stand below the given folder; the pid file goes in the end."""
        made = self.none.following(config("access", "pid"))
        self.assertEqual(self.names(), ["access", "pid"])
        self.assertEqual((self.folder / "pid").read_text(), str(os.getpid()))
        made.close()
        self.assertEqual(self.names(), ["access"])

    def test_what_stays(self) -> None:
        """It is neither opened again nor closed."""
        before = self.none.following(config("access", "pid"))
        after = before.following(config(str(self.folder / "access"), "pid"))
        self.assertIs(after.access, before.access)
        self.assertIs(after.pid, before.pid)
        before.close(save=after)
        self.assertEqual(self.names(), ["access", "pid"])
        after.close()

    def test_what_changes(self) -> None:
        """The new ones are there before the old ones go."""
        before = self.none.following(config("access", "pid"))
        after = before.following(config("other", "another"))
        self.assertEqual(self.names(), ["access", "another", "other", "pid"])
        before.close(save=after)
        self.assertEqual(self.names(), ["access", "another", "other"])
        after.close()

    def test_what_goes(self) -> None:
        """A name that is not there any more closes its file."""
        before = self.none.following(config("access", "pid"))
        after = before.following(config())
        before.close(save=after)
        self.assertEqual(self.names(), ["access"])

    def test_fault(self) -> None:
        """When one cannot be had, none is opened; those in use stay."""
        before = self.none.following(config("access", "pid"))
        (self.folder / "live").write_text(str(os.getppid()))
        open_before = len(os.listdir("/proc/self/fd"))
        for fresh in (config("other", "live"), config("no/such", "fresh")):
            self.assertRaises(PortmuxError, before.following, fresh)
        self.assertEqual(len(os.listdir("/proc/self/fd")), open_before)
        self.assertEqual(self.names(), ["access", "live", "other", "pid"])
        before.close()

    def test_pid_of_somebody_else(self) -> None:
        """Under twistd the pid file is twistd's own."""
        made = self.files(own_pid_file=False).following(config(pid="pid"))
        self.assertIs(made.pid, None)
        self.assertEqual(self.names(), [])
