"""Read JSON as RFC 8259 has it, with the place of each value; a key stands once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import attrs

from portmux.config.faults import Faults, quoted
from portmux.config.sources.place import DEEPEST, TOO_DEEP, Places, Unreadable
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table

_BLANK = re.compile(r"[ \t\r\n]*")
_ATOM = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null"
)
_STRING = json.JSONDecoder()


def parse(name: str, text: str, faults: Faults) -> Node | None:
    """@return: the file's tree; None: see faults."""
    places = Places(name, text)
    reader = _Reader(text, places, faults)
    try:
        node = reader.value(0)
        if reader.peek():
            raise Unreadable(
                reader.index, "is not JSON, nothing is allowed behind its end"
            )
    except Unreadable as wrong:
        faults.add(places.at(wrong.index), str(wrong))
        return None
    return node


@attrs.define
class _Reader:
    """@ivar index: what is read next."""

    _text: str
    _places: Places
    _faults: Faults
    index: int = 0

    def peek(self) -> str:
        """@return: the next character that is not blank; nothing at the end."""
        found = _BLANK.match(self._text, self.index)
        assert found is not None
        self.index = found.end()
        return self._text[self.index : self.index + 1]

    def value(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise Unreadable(self.index, TOO_DEEP)
        character = self.peek()
        origin = self._places.at(self.index)
        if character == "{":
            return self._table(origin, depth)
        if character == "[":
            return self._items(origin, depth)
        if character == '"':
            return Scalar(self._string(), origin, Style.DOUBLE)
        atom = _ATOM.match(self._text, self.index)
        if atom is None:
            raise Unreadable(self.index, f"is not JSON, {self._here()} is not a value")
        self.index = atom.end()
        return Scalar(atom[0], origin, Style.TYPED)

    def _table(self, origin: Origin, depth: int) -> Table:
        entries: dict[str, Entry] = {}
        for _ in self._parts("}"):
            if self.peek() != '"':
                text = f"is not JSON, {self._here()} is not a key in double quotes"
                raise Unreadable(self.index, text)
            place = self._places.at(self.index)
            key = self._string()
            self._take(":")
            if first := entries.get(key):
                where = f"the key {quoted(key)} is there already in line"
                self._faults.add(place, f"{where} {first.origin.line}, once is allowed")
            entries[key] = Entry(place, self.value(depth + 1))
        return Table(origin, entries)

    def _items(self, origin: Origin, depth: int) -> Items:
        return Items(origin, tuple(self.value(depth + 1) for _ in self._parts("]")))

    def _parts(self, end: str) -> Iterator[None]:
        """Stand before each part of a list or mapping in turn, then behind its end."""
        self.index += 1
        if self.peek() != end:
            yield
            while self.peek() != end:
                self._take(",", end)
                yield
        self.index += 1

    def _take(self, *allowed: str) -> None:
        if self.peek() != allowed[0]:
            wanted = " or ".join(quoted(mark) for mark in allowed)
            text = f"is not JSON, {self._here()} stands where {wanted} is needed"
            raise Unreadable(self.index, text)
        self.index += 1

    def _string(self) -> str:
        try:
            text, self.index = _STRING.raw_decode(self._text, self.index)
        except json.JSONDecodeError as wrong:
            # The words behind the colon name a place that we name better.
            problem = wrong.msg.partition(":")[0].removesuffix(" at").lower()
            raise Unreadable(wrong.pos, f"is not JSON, {problem}") from None
        return str(text)

    def _here(self) -> str:
        """@return: the next word or mark, for people."""
        if self.peek() == '"':
            return "a string"
        word = re.match(r"[^\s,:\[\]{}\"]+|.|", self._text[self.index :])
        assert word is not None
        return quoted(word[0]) if word[0] else "the end"
