"""C{portmux schema}: what portmux.conf may hold, for editors."""

from __future__ import annotations

import argparse
import json

from portmux.app.build import registry
from portmux.commands.common import Commands
from portmux.config.schema import schema


def add(commands: Commands) -> None:
    text = "print the JSON Schema of portmux.conf, for editors"
    parser = commands.add_parser("schema", help=text, description=text)
    parser.set_defaults(command=_schema)


def _schema(options: argparse.Namespace) -> int:
    print(json.dumps(schema(registry()), indent=2))
    return 0
