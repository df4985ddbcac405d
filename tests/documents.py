"""
Read our own pages: the configurations and the commands that they show.

A block of configuration begins with three backquotes, C{yaml}, and a word that
says what it is a part of; without that word it is a whole file::

    yaml            a whole configuration
    yaml routes     a list of routes
    yaml match      what a route matches; each "match:" is an example of its own
    yaml action     what is done; each key is an example of its own

Commands are indented by four blanks; what they do stands behind two, or a C{#}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Final

import attrs

ROOT = Path(__file__).parent.parent

_LISTENER: Final = "listeners:\n  front:\n    bind: '127.0.0.1:0'\n"
_ROUTE: Final = "    routes:\n      - name: one\n        echo:\n"

FRAMES: Final = {
    "": ("", 0),
    "routes": (f"{_LISTENER}    routes:\n", 6),
    "match": (_LISTENER + _ROUTE, 8),
    "action": (_LISTENER, 4),
}
"""What stands before a block in a whole file, and by how many blanks it is indented."""

ALTERNATIVES: Final = ("match", "action")
"""Blocks of these show several examples, each from a key to the next."""

_FENCE: Final = re.compile(r"^```yaml ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_INDENTED: Final = re.compile(r"(?:\A|\n)\n((?:    .*\n)+)")
_COMMENT: Final = re.compile(r"^( +)# ((?:- |  )\S.*)$", re.MULTILINE)


def pages() -> list[Path]:
    """@return: README and what it leads to."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def name(path: Path) -> str:
    """@return: the file as seen from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


@attrs.frozen
class Example:
    """
    A configuration.

    @ivar where: the file, and the line that it stands behind.
    @ivar text: the whole file.
    """

    where: str
    text: str


def examples(page: Path) -> Iterator[Example]:
    """@raise ValueError: a block is part of something that we do not know."""
    text = page.read_text()
    for block in _FENCE.finditer(text):
        part, content = block.groups()
        where = f"{name(page)}:{text.count(chr(10), 0, block.start()) + 1}"
        if part not in FRAMES:
            raise ValueError(
                f"{where}: what is {part!r}? {', '.join(FRAMES)} are known"
            )
        several = re.split(r"(?m)^(?=[a-z])", content) if part in ALTERNATIVES else ()
        for one in filter(str.strip, several or (content,)):
            before, blanks = FRAMES[part]
            yield Example(where, before + indent(one, " " * blanks))


def uncommented(config: Path) -> str:
    """@return: a configuration, with the options that it shows as comments."""
    return _COMMENT.sub(r"\1\2", config.read_text())


@attrs.frozen
class Command:
    """
    A line for a shell.

    @ivar where: the file.
    @ivar promise: what the page says that it does.
    """

    where: str
    line: str
    promise: str


def commands(page: Path) -> Iterator[Command]:
    """@return: every line of the page's indented blocks."""
    for block in _INDENTED.finditer(page.read_text()):
        for line in block[1].splitlines():
            words, *promise = re.split(r" +# |  +", line.strip(), maxsplit=1)
            yield Command(name(page), words, "".join(promise).removeprefix("# "))


def queries() -> list[str]:
    """@return: what our dashboard asks Prometheus."""
    board = json.loads((ROOT / "conf" / "grafana" / "portmux.json").read_text())
    return [target["expr"] for one in board["panels"] for target in one["targets"]]
