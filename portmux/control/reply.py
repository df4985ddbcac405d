"""What a command is answered, before a mouth spells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

Row = Mapping[str, Any]
"""One thing that a command tells of: what is said of it, by name."""


@attrs.frozen
class Reply:
    """
    @ivar first: what stands behind C{OK: } on the first line; may be empty.
    @ivar lines: the others, each of which begins with a TAB.
    @ivar blank: an empty line stands in place of no others.
    @ivar result: the same for programs, as JSON has it.
    """

    first: str = ""
    lines: tuple[str, ...] = ()
    result: Any = None
    blank: bool = False

    def spelled(self) -> str:
        """@return: all lines, each with its end."""
        head = f"OK: {self.first}\n" if self.first else "OK\n"
        tail = "\n" if self.blank and not self.lines else ""
        return head + "".join(f"\t{line}\n" for line in self.lines) + tail


DONE = Reply()
"""It was done, and there is nothing more to say."""


def listed(what: str, rows: Sequence[Row], total: int | None = None) -> Reply:
    """
    @param what: what each row is one of, in the plural.
    @param total: how many there are, where not all are shown.
    """
    count = len(rows) if total is None else total
    more = "" if count == len(rows) else f", {len(rows)} of them follow"
    lines = tuple(map(told, rows))
    return Reply(f"{what}: {count}{more}", lines, list(map(dict, rows)))


def told(row: Row) -> str:
    """@return: on one line: the first value, and what belongs to it."""
    (_, first), *others = row.items()
    rest = ", ".join(
        f"{name.replace('_', ' ')} {word(value)}" for name, value in others
    )
    return f"{word(first)} = {rest}" if rest else word(first)


def word(value: Any) -> str:
    """@return: a value, for people."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list | tuple):
        return " ".join(map(word, value)) or "none"
    return "".join(c if c.isprintable() else "?" for c in str(value)) or "none"


def pairs(row: Row) -> tuple[str, ...]:
    """@return: a line for each thing that is told."""
    return tuple(f"{name.replace('_', ' ')} {value}" for name, value in row.items())
