"""
Lay one tree over another.

Mappings are joined key by key; of anything else the upper one wins. Each node
keeps its place.
"""

from __future__ import annotations

from collections.abc import Callable

from portmux.config.faults import Faults
from portmux.config.tree import Entry, Items, Node, Path, Scalar, Table, position

Find = Callable[[Table, str], str]
"""The key of a table that a step of a path means; a new one where there is none."""


def overlay(lower: Node, upper: Node) -> Node:
    """@return: the upper tree, with what only the lower one has."""
    if not isinstance(lower, Table) or not isinstance(upper, Table):
        return upper
    entries = dict(lower.entries)
    for key, entry in upper.entries.items():
        below = entries.get(key)
        value = entry.value if below is None else overlay(below.value, entry.value)
        entries[key] = Entry(entry.origin, value)
    return Table(lower.origin, entries)


def exact(table: Table, step: str) -> str:
    """Keys are what they are."""
    return step


def folded(table: Table, step: str) -> str:
    """Case does not matter, and C{_} is C{-}: all that names of variables can say."""
    meant = _fold(step)
    return next((key for key in table.entries if _fold(key) == meant), meant)


def assign(
    node: Node | None, path: Path, value: Node, faults: Faults, find: Find = exact
) -> Node:
    """
    Lay a value over one place of a tree.

    A step of digits is the position in a list, where there is one already or
    nothing yet; the position behind the last appends.

    @param node: what is there now.
    @return: the new tree.
    """
    if not path:
        return value if node is None else overlay(node, value)
    step, *rest = path
    origin = value.origin
    if isinstance(node, Scalar) and position(step) is not None:
        node = Items(node.origin, (node,))  # one value is a list of one
    if isinstance(node, Items) or (node is None and step == "0"):
        values = node.values if isinstance(node, Items) else ()
        at = position(step)
        if at is None or at > len(values):
            text = f'"{step}" is not a position in this list, 0 to {len(values)} are'
            faults.add(origin, text)
            return Items(origin, values)
        below = values[at] if at < len(values) else None
        item = assign(below, tuple(rest), value, faults, find)
        return Items(origin, (*values[:at], item, *values[at + 1 :]))
    table = node if isinstance(node, Table) else Table(origin)
    key = find(table, step)
    inner = assign(table.get(key), tuple(rest), value, faults, find)
    place = table.entries[key].origin if key in table.entries else origin
    return Table(table.origin, {**table.entries, key: Entry(place, inner)})


def _fold(key: str) -> str:
    return key.lower().replace("_", "-")
