"""What a command is answered, before a mouth spells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs

Row = Mapping[str, Any]
"""One thing that a command tells of: what is said of it, by name."""


@attrs.frozen
class Reply:
    """
    @ivar first: what stands behind C{OK: } on the first line; may be empty.
    @ivar lines: the others, each of which begins with a TAB.
    @ivar rows: what is told on further lines, one each; spelled only for people.
    @ivar blank: an empty line stands in place of no others.
    @ivar result: the same for programs, as JSON has it.
    """

    first: str = ""
    lines: tuple[str, ...] = ()
    rows: Sequence[Row] = attrs.field(default=(), kw_only=True)
    result: Any = None
    blank: bool = False

    def spelled(self) -> str:
        """@return: all lines, each with its end."""
        head = f"OK: {self.first}\n" if self.first else "OK\n"
        lines = (*self.lines, *map(told, self.rows))
        tail = "\n" if self.blank and not lines else ""
        return head + "".join(f"\t{line}\n" for line in lines) + tail


DONE = Reply()
"""It was done, and there is nothing more to say."""


def listed(what: str, rows: Sequence[Row], total: int | None = None) -> Reply:
    """
    @param what: what each row is one of, in the plural.
    @param total: how many there are, where not all are shown.
    """
    count = len(rows) if total is None else total
    more = "" if count == len(rows) else f", {len(rows)} of them follow"
    return Reply(f"{what}: {count}{more}", rows=rows, result=list(map(dict, rows)))


def told(row: Row) -> str:
    """@return: on one line: the first value, and what belongs to it."""
    (_, first), *others = row.items()
    rest = ", ".join([f"{_title(name)} {word(value)}" for name, value in others])
    return f"{word(first)} = {rest}" if rest else word(first)


def word(value: Any) -> str:
    """@return: a value, for people."""
    if isinstance(value, str):
        return _printable(value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list | tuple):
        return " ".join(map(word, value)) or "none"
    return _printable(str(value))


def _printable(text: str) -> str:
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "?" for c in text)
    return text or "none"


@lru_cache(maxsize=256)
def _title(name: str) -> str:
    """A table has as many rows as it has, and few columns."""
    return name.replace("_", " ")


def pairs(row: Row) -> tuple[str, ...]:
    """@return: a line for each thing that is told."""
    return tuple(f"{_title(name)} {value}" for name, value in row.items())
