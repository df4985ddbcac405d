"""Names of the parts of the program, as its log has them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pkgutil import iter_modules
from typing import Final

import portmux
from portmux.config.faults import guess, quoted

FOREIGN: Final = ("twisted", "log_legacy")
"""Whose messages are in our log, too: Twisted's, and those of its older ways."""


def fault(part: str) -> str | None:
    """@return: what is wrong with a name; None: messages may come from there."""
    own, known = part.removeprefix("portmux."), parts()
    module, _, last = own.rpartition(".")
    if part == "portmux" or own in known or part.partition(".")[0] in FOREIGN:
        return None
    if module in known and last[:1].isupper():  # a class' own
        return None
    others = "such as net or services.health, nor of twisted"
    return f"{quoted(part)} is no part of portmux, {others}{guess(own, known)}"


@cache
def parts() -> frozenset[str]:
    """@return: all of ours: packages and modules, without C{portmux.} in front."""
    return frozenset(_within(portmux.__path__, ""))


def _within(folders: Iterable[str], before: str) -> Iterator[str]:
    for found in iter_modules(folders):
        name = before + found.name
        yield name
        if found.ispkg:
            inner = [os.path.join(folder, found.name) for folder in folders]
            yield from _within(inner, f"{name}.")
