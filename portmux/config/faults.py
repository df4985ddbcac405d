"""Collect everything that is wrong, and say it at once."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import attrs

from portmux.config.tree import Items, Node, Origin, Path, Style, Table
from portmux.errors import ConfigError


@attrs.frozen(slots=True)
class Fault:
    """@ivar text: what is wrong, what is allowed; without a full stop."""

    origin: Origin
    path: Path
    text: str

    def __str__(self) -> str:
        said = self.origin.said
        path = self.path[len(said) :] if self.path[: len(said)] == said else self.path
        parts = (str(self.origin), ".".join(filter(None, path)), self.text)
        return ": ".join(_line(part) for part in parts if part)


@attrs.define(eq=False, slots=True)
class Faults:
    """Faults and warnings, found in any order."""

    _found: list[Fault] = attrs.field(factory=list, init=False)
    _warnings: list[Fault] = attrs.field(factory=list, init=False)

    def add(self, origin: Origin, text: str, path: Path = ()) -> None:
        self._found.append(Fault(origin, path, text))

    def warn(self, origin: Origin, text: str, path: Path = ()) -> None:
        """Something that works, and that is probably not what was meant."""
        self._warnings.append(Fault(origin, path, text))

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def warnings(self) -> tuple[str, ...]:
        return _sorted(self._warnings)

    def check(self) -> None:
        """@raise ConfigError: there are faults; all of them, by place."""
        if self._found:
            raise ConfigError(_sorted(self._found))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """@return: the known word that was probably meant."""
    words = {each.lower(): each for each in known}
    close = get_close_matches(word.lower(), words, 1)
    return words[close[0]] if close else None


def guess(word: str, known: Iterable[str]) -> str:
    """@return: C{'; did you mean "x"?'} where a known word is close, else nothing."""
    near = nearest(word, known)
    return "" if near is None else f'; did you mean "{near}"?'


def quoted(text: str, limit: int = 60) -> str:
    """@return: the text in double quotes, on one line, cut where it is long."""
    return f'"{_line(text[:limit])}{"..." if len(text) > limit else ""}"'


def described(node: Node) -> str:
    """@return: what stands there, for people."""
    if isinstance(node, Table):
        return "a mapping" if node.entries else "an empty mapping"
    if isinstance(node, Items):
        return "a list"
    if node.missing:
        return "empty"
    if node.style is Style.TYPED:
        return f"{node.text[:20]} without quotes"
    return quoted(node.text)


def listed(words: Iterable[str]) -> str:
    """@return: the words in alphabetical order, with commas."""
    return ", ".join(sorted(words))


def _line(text: str) -> str:
    """A file's text must not break a message into two lines."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _sorted(faults: Iterable[Fault]) -> tuple[str, ...]:
    """Files first, in alphabetical order, then what has no lines."""

    def place(fault: Fault) -> tuple[bool, str, int, int]:
        origin = fault.origin
        return not origin.line, origin.name, origin.line, origin.column

    return tuple(str(fault) for fault in sorted(faults, key=place))
