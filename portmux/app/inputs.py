"""What configurations are really made of: files, and every kind there is."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence

from portmux.app.build import registry
from portmux.config.load import Inputs
from portmux.config.sources.syntax import Syntax


def inputs(
    file: str | None,
    syntax: Syntax | None,
    settings: Sequence[str],
    environ: Mapping[str, str],
) -> Inputs:
    """
    @param file: read from the working directory of now, also after a chdir.
    @return: what L{portmux.config.load.load} needs, now and for each reload.
    """
    here = os.getcwd()

    def read(name: str) -> bytes:
        with open(os.path.join(here, name), "rb") as opened:
            return opened.read()

    def found(pattern: str) -> list[str]:
        return glob.glob(pattern, root_dir=here)

    return Inputs(
        read=read,
        glob=found,
        registry=registry(),
        file=file,
        settings=settings,
        environ=environ,
        syntax=syntax,
    )
