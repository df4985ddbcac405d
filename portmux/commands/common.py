"""What sub-commands share: the options that name a configuration, and loading it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias

from portmux.app.inputs import DEFAULT, NONE, inputs
from portmux.config.faults import guess, listed, quoted
from portmux.config.load import Inputs, Loaded, load
from portmux.config.sources.syntax import Syntax

# What add_subparsers() gives; the type has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[Any]"


class Parser(argparse.ArgumentParser):
    """
    Says what is wrong in one line, and in a second one how it is used, or where
    that is told if it takes more than a line.

    A command that stands for another program may have that one's status for it,
    as its default C{wrong}.
    """

    def error(self, message: str) -> NoReturn:
        usage = self.format_usage()
        if usage.count("\n") > 1:
            usage = f"usage: see {self.prog} --help\n"
        self.exit(self.get_default("wrong") or 2, f"{self.prog}: {message}\n{usage}")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """A sub-command's own parser knows best what it does not know."""
        self._words = sys.argv[1:] if args is None else list(args)
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(self._unknown(left[0]))
        return found, left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse would not say which was meant; this name is old and steady, too.
        if action.choices is None or value in action.choices:
            return
        for word in self._words:
            if word.startswith("--") and not self._is_option(word):
                self.error(self._unknown(word))  # the value may have been meant for it
        words = [str(each) for each in action.choices]
        text = f"{quoted(str(value))} is not known, allowed: {listed(words)}"
        raise argparse.ArgumentError(action, text + guess(str(value), words))

    def _is_option(self, word: str) -> bool:
        """@return: whether it is one, or begins like one, or ends the options."""
        option = word.partition("=")[0]
        return any(each.startswith(option) for each in self._option_string_actions)

    def _unknown(self, word: str) -> str:
        # argparse has no other way to ask for them; the name is old and steady.
        known = self._option_string_actions
        if word.startswith("-"):
            option = word.partition("=")[0]
            return f"there is no option {quoted(option)}{guess(option, known)}"
        hint = "; a configuration is given by -c FILE" if "--config" in known else ""
        return f"unexpected argument {quoted(word)}{hint}"


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a configuration."""
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        default=DEFAULT,
        help=f"or {NONE}; default: {DEFAULT}",
    )
    parser.add_argument(
        "--syntax",
        choices=[syntax.value for syntax in Syntax],
        help="the file's syntax; without it, it is recognised",
    )
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="set one option over the file's; may be repeated",
    )


def given_inputs(options: argparse.Namespace) -> Inputs:
    """@return: what the options of L{add_inputs} name."""
    syntax = None if options.syntax is None else Syntax(options.syntax)
    return inputs(options.config, syntax, options.set, dict(os.environ))


def loaded(given: Inputs) -> Loaded:
    """
    Load, and print the warnings.

    @raise portmux.errors.ConfigError: there are faults.
    """
    found = load(given)
    for warning in found.warnings:
        print(warning, file=sys.stderr)
    return found
