"""The command line of portsplit: one file, in portsplit's syntax."""

from __future__ import annotations

from collections.abc import Sequence

from portmux.config.include import Glob, Read
from portmux.config.load import Inputs, Loaded
from portmux.config.sources.syntax import Syntax
from portmux.config.write import write
from portmux.core.registry import Registry
from portmux.errors import ConfigError

USAGE = "usage: portmux portsplit FILE"


def inputs(
    arguments: Sequence[str], *, read: Read, glob: Glob, registry: Registry
) -> Inputs:
    """
    Nothing but the file configures portsplit: no environment, no settings.

    @raise ConfigError: there is not exactly one argument.
    """
    if len(arguments) != 1:
        raise ConfigError([USAGE])
    return Inputs(
        read=read,
        glob=glob,
        registry=registry,
        file=arguments[0],
        syntax=Syntax.PORTSPLIT,
    )


def convert(loaded: Loaded) -> str:
    """@return: a portmux.conf that does the same."""
    return write(loaded.tree)
