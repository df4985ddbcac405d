"""
Sub-commands of C{portmux}: one a file, found by L{load}.

A module's C{add(commands)} adds its parser, whose default C{command} is a
function from parsed options to an exit status.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from portmux.commands.common import Commands


def load(commands: Commands) -> None:
    """Let every module of this package add its sub-command, by alphabet."""
    for found in iter_modules(__path__, __name__ + "."):
        add = getattr(import_module(found.name), "add", None)
        if add is not None:
            add(commands)
