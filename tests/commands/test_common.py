"""Test portmux.commands.common."""

from __future__ import annotations

import argparse
import os

from portmux.app.inputs import DEFAULT, inputs
from portmux.commands.common import add_inputs, given_inputs, loaded
from portmux.config.sources.syntax import Syntax
from portmux.errors import ConfigError
from tests.test_cli import SPLIT, CliCase


class InputsTests(CliCase):
    def options(self, *words: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        add_inputs(parser)
        return parser.parse_args(words)

    def test_nothing_said(self) -> None:
        """The usual file, in whatever syntax it has."""
        given = given_inputs(self.options())
        self.assertEqual((given.file, given.syntax), (DEFAULT, None))
        self.assertEqual(list(given.settings), [])

    def test_everything(self) -> None:
        """Settings keep their order; the environment is that of now."""
        self.patch(os, "environ", {"PORTMUX__DRAIN": "7s"})
        words = ("-c", "x", "--syntax", "toml", "--set", "a=1", "--set", "b=2")
        given = given_inputs(self.options(*words))
        self.assertEqual((given.file, given.syntax), ("x", Syntax.TOML))
        self.assertEqual(list(given.settings), ["a=1", "b=2"])
        self.assertEqual(given.environ, {"PORTMUX__DRAIN": "7s"})


class LoadedTests(CliCase):
    def test_warnings(self) -> None:
        """They are printed, and stop nothing."""
        name = self.write(SPLIT.replace("string =", "string more ="))
        found = loaded(inputs(name, Syntax.PORTSPLIT, [], {}))
        self.assertEqual(len(found.warnings), 1)
        self.assertEqual(self.errors.getvalue().splitlines(), list(found.warnings))
        self.assertEqual(self.out.getvalue(), "")

    def test_faults(self) -> None:
        """They are the caller's to print."""
        given = inputs(self.write("drain: soon"), None, [], {})
        self.assertRaises(ConfigError, loaded, given)
        self.assertEqual(self.errors.getvalue(), "")
