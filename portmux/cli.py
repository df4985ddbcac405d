"""The C{portmux} command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from portmux import __version__, commands
from portmux.errors import ConfigError

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> None:
    """
    Run one sub-command.

    @raise SystemExit: with the status: 0, 1 when it cannot start, 2 for faults
        of the command line or of a configuration.
    """
    options = _parser().parse_args(argv)
    command: Command = options.command
    try:
        status = command(options)
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        status = 2
    raise SystemExit(status)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n{self.format_usage()}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="portmux", description="One port, every service.")
    parser.add_argument("--version", action="version", version=f"portmux {__version__}")
    commands.load(parser.add_subparsers(required=True, metavar="COMMAND"))
    return parser
