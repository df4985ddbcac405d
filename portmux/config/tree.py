"""
What a file says, before anyone knows what it means: nodes and their places.

Every source makes this tree; layers are laid over each other in it, and the
walker turns it into the model. A node never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

import attrs

Path = tuple[str, ...]
"""Keys and list positions from the root down to a node."""


@attrs.frozen(slots=True)
class Origin:
    """
    Where a node was written.

    @ivar name: a file, or a layer: C{environment PORTMUX__X}, C{--set x}.
    @ivar line: counted from 1; 0 where there are no lines.
    @ivar column: in characters, counted from 1; 0 where only the line is known.
    @ivar said: the path of which the name tells people enough.
    """

    name: str
    line: int = 0
    column: int = 0
    said: Path = attrs.field(default=(), eq=False, repr=False)

    def __str__(self) -> str:
        numbers = (str(number) for number in (self.line, self.column) if number)
        return ":".join((self.name, *numbers))


class Style(Enum):
    """How a scalar was written, as far as it matters for its meaning."""

    PLAIN = auto()
    """Bare text: YAML without quotes, a line of portsplit's syntax."""

    QUOTED = auto()
    """Text that cannot be mistaken for anything else."""

    DOUBLE = auto()
    """Text in double quotes, whose escapes the syntax itself has replaced."""

    TYPED = auto()
    """A number, boolean, date or null of TOML or JSON; never text."""

    BROKEN = auto()
    """A fault about it is known already; nothing more is said of it."""


@attrs.frozen(slots=True)
class Scalar:
    """@ivar text: as written, or the canonical spelling of a typed value."""

    text: str
    origin: Origin
    style: Style = Style.PLAIN

    @property
    def missing(self) -> bool:
        """Nothing stands behind the key."""
        return not self.text and self.style is Style.PLAIN

    @property
    def null(self) -> bool:
        """Written as a null of YAML or JSON, or missing."""
        bare = self.style in (Style.PLAIN, Style.TYPED)
        return bare and self.text in ("", "~", "null", "Null", "NULL")


@attrs.frozen(slots=True)
class Entry:
    """@ivar origin: the key's place; the value's is its own."""

    origin: Origin
    value: Node


@attrs.frozen(slots=True)
class Table:
    """A mapping, in written order."""

    origin: Origin
    entries: Mapping[str, Entry] = attrs.field(factory=dict)

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return None if entry is None else entry.value


@attrs.frozen(slots=True)
class Items:
    """A list."""

    origin: Origin
    values: tuple[Node, ...] = ()


Node = Scalar | Table | Items


def position(step: str) -> int | None:
    """@return: the list position that a step of a path may be."""
    return int(step) if step.isascii() and step.isdigit() and len(step) < 10 else None


def nearest_node(node: Node, path: Path) -> Node:
    """@return: the node that the path leads to, or the last one on the way."""
    for step in path:
        inner: Node | None = None
        if isinstance(node, Table):
            inner = node.get(step)
        elif isinstance(node, Items) and (index := position(step)) is not None:
            inner = node.values[index] if index < len(node.values) else None
        if inner is None:
            break
        node = inner
    return node


def without(tree: Table, key: str) -> Table:
    """@return: the table without that key."""
    rest = {each: entry for each, entry in tree.entries.items() if each != key}
    return Table(tree.origin, rest)


def table(origin: Origin, **values: Node | None) -> Table:
    """
    @param values: by key, where C{_} is C{-}; what is None is left out.
    @return: a table whose keys stand where their values do.
    """
    return Table(
        origin,
        {
            key.rstrip("_").replace("_", "-"): Entry(value.origin, value)
            for key, value in values.items()
            if value is not None
        },
    )
