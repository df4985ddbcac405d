"""Test portmux.app.files."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.echo import Echo
from portmux.app import sinks
from portmux.app.files import Files
from portmux.app.output import Output
from portmux.app.sinks import MessageFile
from portmux.config.logs import Log, Rotate
from portmux.config.model import Bind, Config, Listener
from portmux.core.address import Host
from portmux.core.option import Octets
from portmux.errors import PortmuxError

LISTENERS = {"front": Listener(bind=(Bind(Host("127.0.0.1", 0)),), action=Echo())}


def config(access: str | None = None, pid: str | None = None) -> Config:
    """@return: one with these files."""
    return Config(listeners=LISTENERS, log=Log(access=access), pid=pid)


class FilesCase(SynchronousTestCase):
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


class FilesTests(FilesCase):
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


class MessagesTests(FilesCase):
    """What is said goes where the configuration says."""

    def setUp(self) -> None:
        super().setUp()
        self.output = Output(2)
        self.none = attrs.evolve(self.none, output=self.output)

    def config(self, **log: Any) -> Config:
        return Config(listeners=LISTENERS, log=Log(**log))

    def test_file(self) -> None:
        """It is in use once it is obeyed, and stays so to the end."""
        stream = self.output.sink
        made = self.none.following(self.config(output="./log"))
        self.assertIs(self.output.sink, stream)
        made.obey(Log(output="./log"))
        self.assertIs(self.output.sink, made.messages)
        left = made.end()
        self.assertTrue(self.output.sink.put(LogLevel.info, "last words"))
        self.assertEqual((self.folder / "log").read_text(), "last words\n")
        left.close()

    def test_file_that_stays(self) -> None:
        """With other options it is the same; without, it goes."""
        stream = self.output.sink
        one = self.none.following(self.config(output="./log"))
        one.obey(Log(output="./log"))
        log = Log(output="./log", rotate=Rotate(Octets(100)))
        two = one.following(Config(listeners=LISTENERS, log=log))
        two.obey(log)
        self.assertIs(two.messages, one.messages)
        assert isinstance(two.messages, MessageFile)
        self.assertEqual(two.messages.rotate, log.rotate)
        three = two.following(self.config())
        three.obey(Log())
        two.close(save=three)
        self.assertIs(self.output.sink, stream)

    def test_reopened(self) -> None:
        """Both files go on under their names."""
        log = Log(output="./log", access="access")
        made = self.none.following(Config(listeners=LISTENERS, log=log))
        for name in ("log", "access"):
            (self.folder / name).rename(self.folder / f"{name}.old")
        made.reopen()
        self.assertEqual(self.names(), ["access", "access.old", "log", "log.old"])
        made.close()

    def test_syslog(self) -> None:
        """It is where the system has it."""
        path = os.path.relpath(self.folder / "socket")
        self.patch(sinks, "SYSLOG", path)
        self.assertRaises(
            PortmuxError, self.none.following, self.config(output="syslog")
        )
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(path)
            made = self.none.following(self.config(output="syslog"))
            again = made.following(self.config(output="syslog", level="warn"))
            self.assertIs(again.messages, made.messages)
            again.reopen()
            again.close()

    def test_fault_of_another(self) -> None:
        """A file of messages that was opened for nothing is closed."""
        open_before = len(os.listdir("/proc/self/fd"))
        wanted = self.config(output="./log", access="no/such")
        self.assertRaises(PortmuxError, self.none.following, wanted)
        self.assertEqual(len(os.listdir("/proc/self/fd")), open_before)

    def test_log_of_twistd(self) -> None:
        """Then nothing is opened."""
        made = self.files().following(self.config(output="./log"))
        self.assertIsNone(made.messages)
        self.assertEqual(self.names(), [])

    def test_rotate(self) -> None:
        """The access log is turned over, too, from the next reload on."""
        before = self.none.following(config("access"))
        log = Log(access="access", rotate=Rotate(Octets(100)))
        after = before.following(Config(listeners=LISTENERS, log=log))
        after.obey(log)
        assert after.access is not None
        self.assertEqual(after.access.file.rotate, log.rotate)
        after.close()
