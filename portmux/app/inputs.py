"""What configurations are really made of: files, and every kind there is."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from pwd import getpwuid
from typing import Final

from portmux.app.build import registry
from portmux.config.load import Inputs
from portmux.config.sources.compact import Compact
from portmux.config.sources.syntax import Syntax

DEFAULT: Final = "/etc/portmux/portmux.conf"
"""The configuration file where none is named."""

NONE: Final = "none"
"""In place of a file: settings and variables are all."""


def inputs(
    file: str | None,
    syntax: Syntax | None,
    settings: Sequence[str],
    environ: Mapping[str, str],
    usual: str = DEFAULT,
    compact: Compact | None = None,
    tunnels: Sequence[str] = (),
) -> Inputs:
    """
    @param file: relative to the working directory of now, also after a chdir;
        L{NONE}: there is none.
    @param usual: the file of who named none, who may want to know how.
    @param compact: a listener that the command line describes.
    @param tunnels: that the command line describes.
    @return: what L{portmux.config.load.load} needs, now and for each reload.
    """
    here = os.getcwd()

    def read(name: str) -> bytes:
        try:
            with open(os.path.join(here, name), "rb") as opened:
                return opened.read()
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            if isinstance(error, PermissionError):
                why += f" for user {user()}"
            if name == file == usual:
                why += "; -c FILE gives another one, portmux run --listen needs none"
            raise OSError(error.errno, why) from error

    def found(pattern: str) -> list[str]:
        return glob.glob(pattern, root_dir=here)

    return Inputs(
        read=read,
        glob=found,
        registry=registry(),
        file=None if file == NONE else file,
        settings=settings,
        environ=environ,
        syntax=syntax,
        compact=compact,
        tunnels=tunnels,
    )


def user() -> str:
    """@return: the name of whom this process runs as; or the number."""
    try:
        return getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
