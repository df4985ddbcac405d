"""The C{portmux} command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NoReturn

from portmux import __version__, commands
from portmux.config.faults import guess, listed, quoted
from portmux.errors import ConfigError

_FIRST: Final = "portmux run --listen :8443 ssh=127.0.0.1:22 tls=127.0.0.1:8444"

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> None:
    """
    Run one sub-command.

    @raise SystemExit: with the status: 0, 1 when it cannot start, 2 for faults
        of the command line or of a configuration.
    """
    parser, known = _parser()
    words = sys.argv[1:] if argv is None else list(argv)
    _refuse_unknown(words, known)
    options, surplus = parser.parse_known_args(words)
    if surplus:
        known[_command_of(words) or ""].error(
            f"unrecognized arguments: {' '.join(surplus)}"
        )
    command: Command = options.command
    try:
        status = command(options)
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        status = 2
    raise SystemExit(status)


class _Parser(argparse.ArgumentParser):
    """
    Says what is wrong in one line, before how it is used.

    A command that stands for another program may have that one's status for it,
    as its default C{wrong}.
    """

    def error(self, message: str) -> NoReturn:
        self.exit(
            self.get_default("wrong") or 2,
            f"{self.prog}: {message}\n{self.format_usage()}",
        )


def _parser() -> tuple[_Parser, Mapping[str, _Parser]]:
    """@return: the parser, and those of the commands by name."""
    parser = _Parser(prog="portmux", description="One port, every service.")
    parser.add_argument("--version", action="version", version=f"portmux {__version__}")
    known = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.load(known)
    return parser, known.choices


def _command_of(words: Sequence[str]) -> str | None:
    return next((word for word in words if not word.startswith("-")), None)


def _refuse_unknown(words: Sequence[str], known: Collection[str]) -> None:
    """@raise SystemExit: no command, or none that there is, is asked for."""
    command = _command_of(words)
    if command in known or (command is None and words):
        return
    if command is None:
        wrong, meant = "a command is needed", ""
        advice = f"for a first try: {_FIRST}"
    else:
        wrong, meant = f"there is no command {quoted(command)}", guess(command, known)
        advice = "portmux --help tells what each does"
    print(f"portmux: {wrong}; there are: {listed(known)}{meant}", file=sys.stderr)
    print(advice, file=sys.stderr)
    raise SystemExit(2)
