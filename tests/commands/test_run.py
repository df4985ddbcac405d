"""Test portmux.commands.run up to twistd; the rest is in tests/integration."""

from __future__ import annotations

import sys

from twisted.scripts import twistd

import twisted.plugins
from portmux.commands import run
from portmux.tap import LOGGER
from tests.test_cli import CliCase

COMMAND = run.__name__.rpartition(".")[2]


class RunTests(CliCase):
    def given(self, *words: str) -> list[str]:
        """@return: what twistd's plugin is called with."""
        self.patch(sys, "argv", ["portmux"])
        self.patch(twistd, "run", lambda: None)
        self.assertEqual(self.call(*words), 0)
        own = ["portmux", "--nodaemon", "--pidfile=", f"--logger={LOGGER}", "portmux"]
        self.assertEqual(sys.argv[:5], own)
        return sys.argv[5:]

    def test_file(self) -> None:
        """What names a configuration goes on as it is."""
        self.assertEqual(self.given(COMMAND), ["--"])
        words = ["--config", "x", "--syntax", "toml", "--set", "a=1", "--set", "b=2"]
        self.assertEqual(self.given(COMMAND, *words), [*words, "--"])

    def test_listen(self) -> None:
        """Addresses and routes, in any place of the command line."""
        self.assertEqual(
            self.given(
                COMMAND, "--listen", ":1", "ssh=a:1", "tls=b:1", "--listen", ":2"
            ),
            ["--listen", ":1", "--listen", ":2", "--", "ssh=a:1", "tls=b:1"],
        )

    def test_no_plugin(self) -> None:
        """Where twistd would show its own usage, and all would seem well."""
        self.patch(twisted.plugins, "__path__", [])
        for words in ([COMMAND], ["portsplit", "x"]):
            self.assertEqual(self.call(*words), 1)
            said = self.errors.getvalue()
            self.assertIn("does not find the plugin twisted/plugins/", said)
            self.assertEqual(said.count("\n"), 1)

    def test_portsplit(self) -> None:
        """Its file is in its syntax."""
        words = ["--config", "x", "--syntax", "portsplit"]
        self.assertEqual(self.given("portsplit", "x"), words)
