"""C{portmux config}: show every value in force, and where it is from."""

from __future__ import annotations

import argparse

from portmux.commands.common import Commands, add_inputs, given_inputs, loaded
from portmux.config.complete import DEFAULT, complete
from portmux.config.tree import Origin
from portmux.config.write import write


def add(commands: Commands) -> None:
    text = "show every value in force, and where it is from"
    parser = commands.add_parser("config", help=text, description=text)
    add_inputs(parser)
    parser.set_defaults(command=_config)


def _config(options: argparse.Namespace) -> int:
    given = given_inputs(options)
    tree = complete(loaded(given).tree, given.registry)
    print(write(tree, _note), end="")
    return 0


def _note(origin: Origin) -> str:
    return "default" if origin is DEFAULT else str(origin)
