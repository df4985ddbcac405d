"""Test portmux.app.steering; tests.app.test_administration has the whole program."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import cast

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.steering import LINE, RPC, SOCKET, Steering, read_token, usual
from portmux.config.control import Control
from portmux.config.model import Config, Metrics
from portmux.core.address import Host, Unix
from portmux.errors import PortmuxError
from portmux.net.engine import Engine
from tests.control.stage import Office


def engine() -> Engine:
    raise AssertionError("nobody is to be served")


class UsualTests(SynchronousTestCase):
    def test_places(self) -> None:
        """The service's own directory, the system's, the user's, or none."""
        for environ, root, place in [
            ({"RUNTIME_DIRECTORY": "/run/portmux"}, False, "/run/portmux/control"),
            ({"RUNTIME_DIRECTORY": "/run/a:/run/b"}, True, "/run/a/control"),
            ({}, True, "/run/portmux/control"),
            ({"XDG_RUNTIME_DIR": "/run/user/0"}, True, "/run/user/0/portmux/control"),
            ({"XDG_RUNTIME_DIR": "/run/user/1"}, False, "/run/user/1/portmux/control"),
            ({}, False, None),
        ]:
            self.assertEqual(usual(environ, root), place)


class SteeringTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def steering(self, **environ: str) -> Steering:
        return Steering(Office(), engine, environ, self.folder)

    def test_listenings(self) -> None:
        """What is configured, and the directory of the usual socket."""
        runtime = os.path.join(self.folder, "deep", "er")
        steering = self.steering(RUNTIME_DIRECTORY=runtime)
        found = steering.listenings(Config(start="any"))
        self.assertEqual(list(found), [SOCKET])
        self.assertEqual(list(found[SOCKET]), [Unix(f"{runtime}/control")])
        self.assertTrue(os.path.isdir(runtime))
        control = Control(
            line=Host("127.0.0.1", 1), rpc=Host("127.0.0.1", 2), socket="c"
        )
        found = steering.listenings(Config(start="any", control=control))
        self.assertEqual(list(found), [LINE, RPC, SOCKET])
        self.assertEqual(list(found[SOCKET]), [Unix(f"{self.folder}/c")])
        control = Control(socket=None)
        self.assertEqual(steering.listenings(Config(start="any", control=control)), {})

    def said(self, steering: Steering) -> list[str]:
        """@return: what is told when there is no socket; at each look, at most once."""
        heard: list[LogEvent] = []
        hear = cast(ILogObserver, heard.append)
        globalLogPublisher.addObserver(hear)
        try:
            for _ in range(2):
                self.assertEqual(steering.listenings(Config(start="any")), {})
        finally:
            globalLogPublisher.removeObserver(hear)
        return [formatEvent(event) for event in heard]

    def test_no_directory(self) -> None:
        """Then there is no socket, and no harm."""
        Path(self.folder, "file").write_text("")
        steering = self.steering(RUNTIME_DIRECTORY=f"{self.folder}/file/deep")
        (line,) = self.said(steering)
        self.assertIn(f"{self.folder}/file/deep cannot be made: not a dir", line)

    def test_no_place(self) -> None:
        """A user who has none is told what to set."""
        self.patch(os, "geteuid", lambda: 1000)
        (line,) = self.said(self.steering())
        self.assertIn("XDG_RUNTIME_DIR is not set; set it, or control.socket", line)

    def test_obey(self) -> None:
        steering = self.steering()
        control = Control(commands="plexy", hosts=("a",))
        steering.obey(Config(start="any", control=control), b"t")
        desk = steering.desk
        told = (desk.commands, desk.hosts, desk.token)
        self.assertEqual(told, ("plexy", ("a",), b"t"))

    def test_tokens(self) -> None:
        """The first line, without blanks around it."""
        Path(self.folder, "one").write_text(" one \nmore\n")
        Path(self.folder, "none").write_text("\n")
        config = Config(
            start="any",
            control=Control(token_file="one"),
            metrics=Metrics(token_file=f"{self.folder}/one"),
        )
        self.assertEqual(self.steering().tokens(config), (b"one", b"one"))
        self.assertEqual(self.steering().tokens(Config(start="any")), (None, None))
        for name, text in [("none", "has no token"), ("lost", "no such file")]:
            error = self.assertRaises(PortmuxError, read_token, name, self.folder)
            self.assertIn(text, str(error))
