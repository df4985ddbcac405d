"""C{portmux convert}: an older program's configuration as portmux.conf."""

from __future__ import annotations

import argparse

from portmux.app.inputs import inputs
from portmux.commands.common import Commands, loaded
from portmux.compat import portsplit
from portmux.config.sources.syntax import Syntax


def add(commands: Commands) -> None:
    text = "print what an older program's configuration is in portmux.conf"
    parser = commands.add_parser("convert", help=text, description=text)
    parser.add_argument("--from", dest="origin", choices=["portsplit"], required=True)
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    given = inputs(options.file, Syntax.PORTSPLIT, [], {})
    print(portsplit.convert(loaded(given)), end="")
    return 0
