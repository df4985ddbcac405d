"""
What a file of portsplit says, as a tree of portmux.conf.

One listener, named after the file, holds all: its addresses share the routes,
which are judged in eager resolution.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container
from itertools import chain, count

import attrs

from portmux.config import octets
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table, table

FALLBACK = "fallback"
TIMEOUT = "timeout"
SPECIAL = (FALLBACK, TIMEOUT)

CONNECTIONS = 10
"""portsplit's limit where the file names none."""

_LONGEST_NAME = 60
"""Leaves room for a number within what a name may be."""

_SNIFFED = 1 << 16
"""Octets that are looked at anyhow: the default of C{sniff.limit}."""


@attrs.define(eq=False)
class Section:
    """
    One service.

    @ivar title: as written; not unique.
    @ivar patterns: any one is enough.
    @ivar connect: where it forwards to; goes before C{command}.
    @ivar command: the program and its arguments.
    """

    title: str
    origin: Origin
    patterns: list[tuple[bytes, Origin]] = attrs.field(factory=list)
    connect: Scalar | None = None
    command: list[Scalar] = attrs.field(factory=list)
    pty: Scalar | None = None

    def action(self) -> Table:
        """@return: a mapping of one key; without an action clients are closed."""
        if self.connect is not None:
            return table(self.origin, forward=self.connect)
        if not self.command:
            return table(self.origin, close=Table(self.origin))
        first = self.command[0].origin
        command = Items(first, tuple(self.command))
        return table(self.origin, exec=table(first, command=command, pty=self.pty))


@attrs.define(eq=False)
class Split:
    """
    A whole file.

    @ivar timeout: None: there is no time limit.
    """

    name: str
    binds: list[Scalar] = attrs.field(factory=list)
    connections: Scalar | None = None
    timeout: Scalar | None = None
    pid: Scalar | None = None
    sections: list[Section] = attrs.field(factory=list)

    @property
    def listener(self) -> str:
        """The listener's name."""
        stem, _, suffix = posixpath.basename(self.name).rpartition(".")
        return _word(stem or suffix, "portsplit").replace(".", "-")

    def special(self, title: str) -> Section | None:
        """@return: the first section of that name."""
        return next((each for each in self.sections if each.title == title), None)

    def routes(self) -> dict[str, Section]:
        """@return: the ordinary sections by unique names, in written order."""
        named: dict[str, Section] = {}
        for section in self.sections:
            if section.title not in SPECIAL:
                named[_unique(_word(section.title, "route"), named)] = section
        return named

    def tree(self) -> Table:
        """@return: the file as portmux.conf would say it."""
        here = Origin(self.name)
        late = self._special(TIMEOUT)
        most = Scalar(str(CONNECTIONS), here)
        listener = table(
            here,
            bind=Items(self.binds[0].origin, tuple(self.binds)),
            sniff=self._sniff(here),
            limits=table(here, connections=self.connections or most),
            routes=Items(here, self._routes()),
            fallback=self._special(FALLBACK),
            silent=late,
            undecided=late,
        )
        return self._around(listener)

    def broken(self) -> Table:
        """@return: a tree of which no more faults will be told."""
        return self._around(Scalar("", Origin(self.name), Style.BROKEN))

    def _around(self, listener: Node) -> Table:
        here = Origin(self.name)
        listeners = Table(here, {self.listener: Entry(here, listener)})
        none = Scalar("none", here)
        return table(here, listeners=listeners, drain=none, pid=self.pid)

    def _sniff(self, here: Origin) -> Table:
        longest = max(map(len, self._patterns()), default=0)
        limit = Scalar(str(longest), here) if longest > _SNIFFED else None
        return table(
            here,
            timeout=self.timeout or Scalar("none", here),
            limit=limit,
            resolution=Scalar("eager", here),
        )

    def _patterns(self) -> list[bytes]:
        routes = self.routes().values()
        return [pattern for route in routes for pattern, _ in route.patterns]

    def _special(self, title: str) -> Node:
        section = self.special(title)
        here = Scalar("close", Origin(self.name))
        return here if section is None else section.action()

    def _routes(self) -> tuple[Table, ...]:
        found = tuple(
            _route(name, section, section.patterns)
            for name, section in self.routes().items()
            if section.patterns
        )
        if found:
            return found
        # Without a pattern the first byte decides, for the fallback.
        any_byte = Section(FALLBACK, Origin(self.name))
        any_byte = self.special(FALLBACK) or any_byte
        return (_route(FALLBACK, any_byte, [(b"", any_byte.origin)]),)


def _route(name: str, section: Section, patterns: list[tuple[bytes, Origin]]) -> Table:
    origin = section.origin
    texts = (Scalar(octets.show(p), at, Style.QUOTED) for p, at in patterns)
    prefix = Items(patterns[0][1], tuple(texts))
    entries = {
        "name": Entry(origin, Scalar(name, origin)),
        "match": Entry(prefix.origin, table(prefix.origin, prefix=prefix)),
    }
    return Table(origin, {**entries, **section.action().entries})


def _word(text: str, otherwise: str) -> str:
    """@return: the text as a name of portmux.conf."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:_LONGEST_NAME] or otherwise


def _unique(name: str, taken: Container[str]) -> str:
    numbered = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)
