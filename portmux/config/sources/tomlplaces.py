"""
Find where keys and values of a TOML text stand.

The text is known to be TOML: this only walks over it.
@see: toml.io, version 1.0.0
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

import attrs

Steps = tuple[str | int, ...]
"""Keys and list positions from the root down to a value."""


@attrs.frozen
class Place:
    """
    @ivar key: index of the key; of the item in a list.
    @ivar value: index of the value; of the key where a header makes a table.
    """

    key: int
    value: int


_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+""")
_SEVERAL = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}",
    re.DOTALL,
)
_STRING = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")
_OTHER = re.compile(r"[^,\]}#\n]+")


def locate(text: str) -> Mapping[Steps, Place]:
    """
    @param text: TOML that L{tomllib} has read, lines ended by LF.
    @return: the place of each table, list and value, by the way to it.
    """
    walker = _Walker(text)
    walker.document()
    return walker.found


@attrs.define
class _Walker:
    """
    @ivar found: the answer.
    @ivar at: the next character.
    @ivar items: how many tables each list of tables has so far.
    """

    text: str
    found: dict[Steps, Place] = attrs.field(init=False)
    at: int = 0
    items: dict[Steps, int] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.found = {(): Place(0, 0)}

    def document(self) -> None:
        table: Steps = ()
        while self.skip() < len(self.text):
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)

    def skip(self, what: re.Pattern[str] = _SPACE) -> int:
        """Go on behind blanks. @return: where that is."""
        self.at = self.take(what)[1]
        return self.at

    def take(self, what: re.Pattern[str]) -> tuple[int, int]:
        found = what.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        return found.span()

    def header(self) -> Steps:
        """C{[a.b]} or C{[[a.b]]}. @return: the way to the table that follows."""
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        steps: Steps = ()
        for key, start in self.keys():
            if steps in self.items:  # its last table is meant
                steps = (*steps, self.items[steps] - 1)
            steps, place = (*steps, key), Place(start, start)
            self.found.setdefault(steps, place)
        if many:
            count = self.items.get(steps, 0)
            self.items[steps] = count + 1
            steps = (*steps, count)
        self.found[steps] = place
        self.at += 2 if many else 1
        return steps

    def keys(self) -> Iterator[tuple[str, int]]:
        """Read C{a."b".c}. @return: each key and its index."""
        dot = "."
        while dot == ".":
            self.skip(_BLANK)
            start, end = self.take(_KEY)
            yield _key(self.text[start:end]), start
            dot = self.text[self.skip(_BLANK)]
            self.at += dot == "."

    def pair(self, steps: Steps) -> None:
        """C{a.b = value}, in the table that the steps lead to."""
        start = self.at
        for key, start in self.keys():
            steps = (*steps, key)
            self.found.setdefault(steps, Place(start, start))
        self.at += 1
        self.found[steps] = Place(start, self.skip(_BLANK))
        self.value(steps)

    def value(self, steps: Steps) -> None:
        opening = self.text[self.at]
        if self.text.startswith(('"""', "'''"), self.at):
            self.take(_SEVERAL)
        elif opening in "\"'":
            self.take(_STRING)
        elif opening == "[":
            for index, _ in enumerate(self.parts("]")):
                self.found[(*steps, index)] = Place(self.at, self.at)
                self.value((*steps, index))
        elif opening == "{":
            for _ in self.parts("}"):
                self.pair(steps)
        else:
            self.take(_OTHER)

    def parts(self, end: str) -> Iterator[None]:
        """Stand before each part of a list or inline table in turn."""
        self.at += 1
        while self.text[self.skip()] != end:
            yield
            if self.text[self.skip()] == ",":
                self.at += 1
        self.at += 1


def _key(written: str) -> str:
    if written.startswith('"'):
        return next(iter(tomllib.loads(f"{written} = 0")))
    return written.strip("'")
