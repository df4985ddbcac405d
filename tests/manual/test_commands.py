"""Tests of what is read from the parsers of command lines."""

from __future__ import annotations

import shlex

from twisted.trial.unittest import SynchronousTestCase

from manual.commands import Argument, subcommands, twistd_options
from manual.examples import COMMANDS
from portmux.config.sources.syntax import Syntax

FOUND = {command.name: command for command in subcommands()}


class CommandTests(SynchronousTestCase):
    def test_usage(self) -> None:
        """It is one line, whatever the terminal."""
        usage = FOUND["explain"].usage
        self.assertTrue(usage.startswith("portmux explain [-c FILE]"), usage)
        self.assertIn("(--text TEXT | --hex HEX | --file FILE)", usage)
        self.assertNotIn("\n", usage)

    def test_arguments(self) -> None:
        choices = ",".join(syntax.value for syntax in Syntax)
        arguments = FOUND["check"].arguments
        spellings = [argument.spelling for argument in arguments]
        self.assertIn("-c, --config FILE", spellings)
        self.assertIn(f"--syntax {{{choices}}}", spellings)
        self.assertIn("FILE", [one.spelling for one in FOUND["portsplit"].arguments])

    def test_examples(self) -> None:
        """Each is of the command that it stands with."""
        for name, lines in COMMANDS.items():
            self.assertIn(name, FOUND)
            for line in lines:
                self.assertEqual(shlex.split(line)[:2], ["portmux", name])

    def test_twistd(self) -> None:
        found = twistd_options()
        spellings = [argument.spelling for argument in found]
        self.assertIn("-c, --config CONFIG", spellings)
        self.assertIn("--set PATH=VALUE", spellings)
        self.assertIn(Argument("--version", "Print the version and exit."), found)
