"""
Read YAML: scalars stay what they look like, a key stands once.

Anchors and aliases may be used, as far as the result stays small; tags, merge
keys and several documents may not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs
import yaml
from yaml.reader import ReaderError

from portmux.config.faults import Faults, quoted
from portmux.config.sources.place import DEEPEST, TOO_DEEP, Places, Unreadable
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table

MOST = 100_000
"""Nodes of one text, aliases counted as what they stand for; from taste."""

_STYLES = {None: Style.PLAIN, '"': Style.DOUBLE}

_UNQUOTED = re.compile(
    r"""
      \*[^\s,\]}]*                                   # *:443 and *.host: aliases
    | \[[0-9a-fA-F]*:[0-9a-fA-F]*:[^\s,\]]*\](?::\d*)? # [::1]:22: a list
    | [^\s,\[\]{}"']*\$\{[^}\s]*\}[^\s,\]}]*         # {x: ${A}}: a mapping in it
    | [@`%!&:][^\s,\]}]+                             # what else cannot start text
    """,
    re.VERBOSE,
)

_HINTS = (
    ("unknown escape", "; in single quotes a backslash stays what it is"),
    ("'\\t'", "; indent with blanks"),
    ("mapping values are not allowed", '; is text with ": " in it without quotes?'),
    ("expected <block end>", "; is it indented like the lines that it belongs to?"),
)

_OPEN = {
    "while parsing a flow sequence": '; "[" in line {} is not closed',
    "while parsing a flow mapping": '; "{{" in line {} is not closed',
    "while scanning a quoted scalar": "; the quotes in line {} are not closed",
    "while scanning a simple key": "; line {} is neither a key nor text",
}
"""What began before the place where it cannot go on."""


def parse(name: str, text: str, faults: Faults) -> Node | None:
    """@return: the file's tree, an empty table for an empty file; None: see faults."""
    return _read(Places(name, text).at, text, faults)


def fragment(origin: Origin, text: str, faults: Faults) -> Node | None:
    """Read a value that stands in no file. @return: None: see faults."""
    node = _read(lambda index: origin, text, faults)
    empty = isinstance(node, Table) and not node.entries and not text.strip()
    return Scalar("", origin) if empty else node


def _read(at: Callable[[int], Origin], text: str, faults: Faults) -> Node | None:
    index = 0
    try:
        loader = yaml.BaseLoader(text)
        try:
            return _Builder(loader, at, faults).document()
        finally:
            index = int(loader.index)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        if wrong.context == "while scanning an alias":
            mark = wrong.context_mark
        index = index if mark is None else mark.index
        hint = _hint(text, index, wrong) or _opened(at, wrong)
        faults.add(at(index), f"is not YAML, {wrong.problem}{hint}")
    except ReaderError as wrong:
        character = f"U+{wrong.character:04X}"
        faults.add(at(wrong.position), f"is not YAML, {character} may not stand in it")
    except Unreadable as wrong:
        faults.add(at(wrong.index), str(wrong))
    except (ValueError, OverflowError):  # C{"\\UFFFFFFFF"}, C{%YAML 1.99999...}
        faults.add(at(index), "is not YAML, a number in it is out of range")
    return None


@attrs.define
class _Builder:
    """Makes nodes of PyYAML's events."""

    _loader: yaml.BaseLoader
    _at: Callable[[int], Origin]
    _faults: Faults
    _anchors: dict[str, tuple[Node, int]] = attrs.field(factory=dict)
    _nodes: int = 0

    def document(self) -> Node:
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Table(self._place(event))
        node = self._node(self._next(), 0)
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise Unreadable(_index(event), "a second document starts, one is allowed")
        return node

    def _node(self, event: yaml.Event, depth: int) -> Node:
        before = self._nodes
        self._count(event, 1)
        if depth > DEEPEST:
            raise Unreadable(_index(event), TOO_DEEP)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        tag = getattr(event, "tag", None)
        if tag is not None:
            text = f"the tag {quoted(tag)} is not allowed, text in quotes is"
            self._faults.add(self._place(event), text)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            style = _STYLES.get(event.style, Style.QUOTED)
            node = Scalar(event.value, self._place(event), style)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._items(event, depth)
        else:
            node = self._table(event, depth)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = node, self._nodes - before
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            meant = quoted(f"*{event.anchor}")
            text = f"{meant} is an alias of nothing; as text it needs quotes"
            raise Unreadable(_index(event), text)
        node, size = self._anchors[event.anchor]
        self._count(event, size)
        return node

    def _items(self, event: yaml.Event, depth: int) -> Items:
        values = []
        while not isinstance(inner := self._next(), yaml.SequenceEndEvent):
            values.append(self._node(inner, depth + 1))
        return Items(self._place(event), tuple(values))

    def _table(self, event: yaml.Event, depth: int) -> Table:
        entries: dict[str, Entry] = {}
        while not isinstance(inner := self._next(), yaml.MappingEndEvent):
            key = self._node(inner, depth + 1)
            value = self._node(self._next(), depth + 1)
            if not isinstance(key, Scalar):
                text = "a key is a list or a mapping, text is allowed; quote it"
                self._faults.add(key.origin, text)
                continue
            if first := entries.get(key.text):
                line = f" in line {first.origin.line}" if first.origin.line else ""
                text = f"the key {quoted(key.text)} is there already{line}"
                self._faults.add(key.origin, f"{text}, once is allowed")
            entries[key.text] = Entry(key.origin, value)
        return Table(self._place(event), entries)

    def _next(self) -> yaml.Event:
        event: yaml.Event = self._loader.get_event()
        return event

    def _place(self, event: yaml.Event) -> Origin:
        return self._at(_index(event))

    def _count(self, event: yaml.Event, size: int) -> None:
        self._nodes += size
        if self._nodes > MOST:
            raise Unreadable(_index(event), f"is too large, {MOST} values are allowed")


def _index(event: yaml.Event) -> int:
    mark: Any = event.start_mark
    return int(mark.index)


def _hint(text: str, index: int, wrong: yaml.MarkedYAMLError) -> str:
    """@return: what helps with mistakes that are often made."""
    start = text.rfind("\n", 0, index) + 1
    line = text[start:].partition("\n")[0]
    for found in _UNQUOTED.finditer(line):
        if found.start() <= index - start <= found.end():
            return f"; quote it: {quoted(found[0])}"
    problem = str(wrong.problem)
    return next((hint for words, hint in _HINTS if words in problem), "")


def _opened(at: Callable[[int], Origin], wrong: yaml.MarkedYAMLError) -> str:
    """@return: where that began which the reader is in, if lines are counted."""
    begun, hint = wrong.context_mark, _OPEN.get(str(wrong.context))
    if hint is None or begun is None or not (line := at(begun.index).line):
        return ""
    return hint.format(line)
