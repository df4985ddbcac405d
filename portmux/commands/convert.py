"""C{portmux convert}: an older program's configuration as portmux.conf."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from portmux.app.inputs import inputs
from portmux.commands import plexy, tcp_multiplexer
from portmux.commands.common import Commands, loaded
from portmux.compat import portsplit
from portmux.config.faults import guess, listed, quoted
from portmux.config.load import Inputs
from portmux.config.sources.syntax import Syntax
from portmux.errors import ConfigError


def add(commands: Commands) -> None:
    text = "print what an older program's configuration is in portmux.conf"
    parser = commands.add_parser("convert", help=text, description=text)
    # All that follows is the other program's, its options included.
    parser.add_argument(
        "--from",
        dest="words",
        metavar="PROGRAM",
        choices=list(_READ),
        nargs=argparse.REMAINDER,
        required=True,
        help="whose configuration, and what that is: portsplit's file; of others what "
        "they are called with",
    )
    parser.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    origin, *words = options.words or [""]
    if origin not in _READ:
        text = f"{quoted(origin)} is not known, allowed: {listed(_READ)}"
        raise ConfigError([f"--from: {text}{guess(origin, _READ)}"])
    try:
        given = _READ[origin](words)
    except ValueError as wrong:
        raise ConfigError([str(wrong)]) from wrong
    print(portsplit.convert(loaded(given)), end="")
    return 0


def _portsplit(words: Sequence[str]) -> Inputs:
    if len(words) != 1:
        raise ConfigError([f"there are {len(words)} files, one is needed"])
    return inputs(words[0], Syntax.PORTSPLIT, [], {})


_READ: Final[Mapping[str, Callable[[Sequence[str]], Inputs]]] = {
    "plexy": plexy.given,
    "portsplit": _portsplit,
    "tcp-multiplexer": tcp_multiplexer.given,
}
