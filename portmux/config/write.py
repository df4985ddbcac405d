"""Write a tree as the YAML of a portmux.conf."""

from __future__ import annotations

import re
from collections.abc import Callable

from portmux.config.expand import literal
from portmux.config.tree import Items, Node, Origin, Scalar, Table

Note = Callable[[Origin], str]
"""What is said of a value behind C{#}, on its line; empty: nothing."""

_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./+-]*")

_NULLS = ("null", "Null", "NULL")

_SPECIAL = re.compile(
    r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What may stand in YAML only as an escape, in double quotes."""

_INDENT = "  "


def write(tree: Table, note: Note | None = None) -> str:
    """@return: text that is read as the same tree, but for places."""
    lines = _table(tree, note or (lambda origin: ""))
    return "".join(line + "\n" for line in lines or ["{}"])


def _table(node: Table, note: Note) -> list[str]:
    lines = []
    for key, entry in node.entries.items():
        name = key if _PLAIN.fullmatch(key) else _quoted(key)
        inner = _value(entry.value, note)
        if _filled(entry.value):
            lines += [f"{name}:", *map(_indented, inner)]
        else:
            lines += [f"{name}: {inner[0]}".rstrip(" "), *map(_indented, inner[1:])]
    return lines


def _value(node: Node, note: Note) -> list[str]:
    """@return: lines; those behind the first are to be indented."""
    if isinstance(node, Table) and node.entries:
        return _table(node, note)
    if isinstance(node, Items) and node.values:
        return [line for item in node.values for line in _item(item, note)]
    first, *rest = _scalar(node) if isinstance(node, Scalar) else [_empty(node)]
    said = note(node.origin)
    return [f"{first}  # {said}" if said else first, *rest]


def _item(node: Node, note: Note) -> list[str]:
    first, *rest = _value(node, note)
    return [f"- {first}", *map(_indented, rest)]


def _filled(node: Node) -> bool:
    """@return: whether it has lines of its own."""
    return bool(
        (isinstance(node, Table) and node.entries)
        or (isinstance(node, Items) and node.values)
    )


def _empty(node: Node) -> str:
    return "{}" if isinstance(node, Table) else "[]"


def _indented(line: str) -> str:
    return _INDENT + line if line else ""


def _scalar(node: Scalar) -> list[str]:
    """@return: lines in the first style that can hold the text."""
    if node.null:
        return [node.text]
    text = literal(node.text)
    if _PLAIN.fullmatch(text) and text not in _NULLS:
        return [text]
    if "\n" in text and not text.isascii() and not _SPECIAL.search(text):
        # Only here may octets from 80 and line ends stand together in a byte string.
        keep = "+" if text.endswith("\n") else "-"
        return [f"|2{keep}", *text.removesuffix("\n").split("\n")]
    return [_quoted(text)]


def _quoted(text: str) -> str:
    """@return: the text in quotes, on one line."""
    if "\n" in text or _SPECIAL.search(text):
        return f'"{"".join(map(_escaped, text))}"'
    if text.isascii() and not set(text) & {'"', "\\"}:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _escaped(character: str) -> str:
    known = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}
    if character in known:
        return known[character]
    if not _SPECIAL.match(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
