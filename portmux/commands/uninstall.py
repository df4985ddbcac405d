"""C{portmux uninstall}: take back what C{portmux install} has done."""

from __future__ import annotations

import argparse

from portmux.app.units import NAME
from portmux.commands.common import Commands
from portmux.commands.install import (
    add_common,
    failed,
    manageable,
    refuse_others,
    systemctl,
    unit_path,
)


def add(commands: Commands) -> None:
    text = "stop, disable and remove the unit that install has written"
    parser = commands.add_parser("uninstall", help=text, description=text)
    add_common(parser, "say what would be removed, remove nothing")
    parser.set_defaults(command=_uninstall)


def _uninstall(options: argparse.Namespace) -> int:
    path = unit_path(options.root)
    if not path.exists():
        print(f"{path}: not there, nothing to remove")
        return 0
    try:
        refuse_others(path)
    except OSError as error:
        return failed(error)
    if options.dry_run:
        print(f"{path}: would be removed")
        return 0
    manage = manageable(options.root)
    if manage and not systemctl("disable", "--now", NAME):
        return 1
    try:
        path.unlink()
    except OSError as error:
        return failed(error)
    print(f"{path}: removed")
    return 0 if not manage or systemctl("daemon-reload") else 1
