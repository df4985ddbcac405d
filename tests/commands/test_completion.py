"""Test portmux.commands.completion."""

from __future__ import annotations

import argparse

from portmux import commands
from portmux.commands import completion
from portmux.commands.scripts import SHELLS, Argument, Command, Kind
from tests.test_cli import CliCase

COMMAND = completion.__name__.rpartition(".")[2]


def described() -> dict[str, Command]:
    """@return: the real commands, by name."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    commands.load(subparsers)
    return {each.name: each for each in completion.described(subparsers)}


def option(command: Command, name: str) -> Argument:
    return next(each for each in command.options if name in each.names)


class DescribedTests(CliCase):
    def test_commands(self) -> None:
        """All of them, with what they are for."""
        found = described()
        self.assertEqual(list(found), sorted(found))
        for name in ("check", "completion", "explain", "run"):
            self.assertRegex(found[name].help, "[a-z]")

    def test_options(self) -> None:
        """Each with what may follow it."""
        run, explain = described()["run"], described()["explain"]
        self.assertEqual(option(run, "--config").kind, Kind.FILE)
        self.assertEqual(option(run, "-c"), option(run, "--config"))
        self.assertIn("toml", option(run, "--syntax").words)
        self.assertTrue(option(run, "--set").many)
        self.assertEqual(option(explain, "--cuts").kind, Kind.NOTHING)
        self.assertEqual(option(explain, "--hex").kind, Kind.TEXT)

    def test_operands(self) -> None:
        """Files, words, and the matchers of run --listen."""
        found = described()
        self.assertEqual([one.kind for one in found["portsplit"].operands], [Kind.FILE])
        (shell,) = found["completion"].operands
        self.assertEqual(shell.words, tuple(SHELLS))
        (route,) = found["run"].operands
        self.assertEqual(route.kind, Kind.ROUTE)
        self.assertEqual(sorted(route.words), ["always=", "http=", "ssh=", "tls="])


class CompletionTests(CliCase):
    def test_prints(self) -> None:
        """One script, and nothing else."""
        for shell in SHELLS:
            self.assertEqual(self.call(COMMAND, shell), 0)
            self.assertIn(f"portmux completion {shell}\n", self.out.getvalue())
            self.assertIn("explain", self.out.getvalue())
            self.assertEqual(self.errors.getvalue(), "")

    def test_other_shell(self) -> None:
        """Which there are is told."""
        self.assertEqual(self.call(COMMAND, "fish"), 2)
        self.assertIn("allowed: bash, zsh", self.errors.getvalue())
