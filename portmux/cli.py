"""The C{portmux} command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Sequence
from typing import Final

from portmux import __version__, commands
from portmux.commands.common import Parser
from portmux.config.faults import guess, listed, quoted
from portmux.errors import ConfigError

_FIRST: Final = "portmux run --listen :8443 ssh=127.0.0.1:22 tls=127.0.0.1:8444"

_OPTIONS: Final = ("--help", "--version", "-h")
"""What may stand in place of a command."""

_STANDARD_OUTPUT: Final = 1

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
    options = parser.parse_args(words)
    command: Command = options.command
    try:
        status = command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        status = _unread()
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        status = 2
    raise SystemExit(status)


def _unread() -> int:
    """Nobody reads what we print, as behind head: the rest of it goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STANDARD_OUTPUT)
    os.close(nowhere)
    return 1


def _parser() -> tuple[Parser, Collection[str]]:
    """@return: the parser, and the names of the commands."""
    parser = Parser(prog="portmux", description="One port, every service.")
    parser.add_argument("--version", action="version", version=f"portmux {__version__}")
    known = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.load(known)
    return parser, known.choices


def _refuse_unknown(words: Sequence[str], known: Collection[str]) -> None:
    """@raise SystemExit: no command, or none that there is, is asked for."""
    first = words[0] if words else None
    advice = "portmux --help tells what each does"
    if first in known:
        return
    if first is None:
        wrong, meant = "a command is needed", ""
        advice = f"for a first try: {_FIRST}"
    elif first.startswith("-"):
        if any(option.startswith(first) for option in _OPTIONS):
            return
        wrong, meant = f"{quoted(first)} is no command", guess(first, _OPTIONS)
    else:
        wrong, meant = f"there is no command {quoted(first)}", guess(first, known)
    print(f"portmux: {wrong}; there are: {listed(known)}{meant}", file=sys.stderr)
    print(advice, file=sys.stderr)
    raise SystemExit(2)
