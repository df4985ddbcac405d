"""Test portmux.app.inputs."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.inputs import NONE, inputs
from portmux.config.load import load
from portmux.errors import ConfigError

TEXT = "listeners: {front: {bind: '127.0.0.1:0', %s: }}\n"


class InputsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def faults(self, file: str) -> tuple[str, ...]:
        """@return: those of a configuration."""
        given = inputs(file, None, [], {})
        error = self.assertRaises(ConfigError, load, given)
        assert isinstance(error, ConfigError)
        return error.faults

    def test_after_a_chdir(self) -> None:
        """The same files are read again, those they include as well."""
        Path("conf.d").mkdir()
        Path("conf.d/one.conf").write_text("drain: 1s\n")
        Path("a.conf").write_text(TEXT % "echo" + 'include: ["conf.d/*.conf"]\n')
        given = inputs("a.conf", None, [], {})
        self.assertEqual(load(given).config.drain, 1.0)
        os.chdir("/")
        Path(self.folder, "conf.d/two.conf").write_text("drain: 2s\n")
        self.assertEqual(load(given).config.drain, 2.0)

    def test_layers(self) -> None:
        """Settings and environment are handed on."""
        Path("a.conf").write_text(TEXT % "echo")
        environ = {"PORTMUX__DRAIN": "3s", "PORTMUX__LOG__LEVEL": "warn"}
        config = load(inputs("a.conf", None, ["drain=4s"], environ)).config
        self.assertEqual((config.drain, config.log.level), (4.0, "warn"))

    def test_no_file(self) -> None:
        """A file that was named and is not there is a fault that names it."""
        expected = "a.conf: cannot be read: no such file or directory"
        self.assertEqual(self.faults("a.conf"), (expected,))

    def test_none(self) -> None:
        """That is no file, also where one has that name."""
        Path("none").write_text(TEXT % "echo" + "drain: 1s\n")
        listen = ["listeners.x.bind='127.0.0.1:1'", "listeners.x.echo="]
        given = inputs(NONE, None, [*listen, "drain=2s"], {})
        self.assertEqual((given.file, load(given).config.drain), (None, 2))
        self.assertEqual(load(inputs("./none", None, [], {})).config.drain, 1)

    def test_no_usual_file(self) -> None:
        """Who named no file learns how to."""
        given = inputs("a.conf", None, [], {}, usual="a.conf")
        error = self.assertRaises(ConfigError, load, given)
        self.assertEqual(
            str(error),
            "a.conf: cannot be read: no such file or directory;"
            " -c FILE gives another one, portmux run --listen needs none",
        )

    def test_directory(self) -> None:
        """Is no file either."""
        self.assertIn("is a directory", *self.faults("."))
