"""C{portmux convert}: an older program's configuration as portmux.conf."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from portmux.app.inputs import inputs
from portmux.commands import tcp_multiplexer
from portmux.commands.common import Commands, loaded
from portmux.compat import portsplit
from portmux.config.load import Inputs
from portmux.config.sources.syntax import Syntax
from portmux.errors import ConfigError


def add(commands: Commands) -> None:
    text = "print what an older program's configuration is in portmux.conf"
    parser = commands.add_parser("convert", help=text, description=text)
    parser.add_argument("--from", dest="origin", choices=list(_READ), required=True)
    parser.add_argument(
        "words",
        metavar="FILE",
        nargs=argparse.REMAINDER,
        help="portsplit's file; of others what they are called with",
    )
    parser.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    given = _READ[options.origin](options.words)
    print(portsplit.convert(loaded(given)), end="")
    return 0


def _portsplit(words: Sequence[str]) -> Inputs:
    if len(words) != 1:
        raise ConfigError([f"there are {len(words)} files, one is needed"])
    return inputs(words[0], Syntax.PORTSPLIT, [], {})


_READ: Final[Mapping[str, Callable[[Sequence[str]], Inputs]]] = {
    "portsplit": _portsplit,
    "tcp-multiplexer": tcp_multiplexer.given,
}
