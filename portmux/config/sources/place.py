"""Where in a text an index is, and what cannot be read there."""

from __future__ import annotations

from bisect import bisect_right

import attrs

from portmux.config.tree import Origin

DEEPEST = 64
"""Nested mappings and lists; from taste, and far below Python's own limit."""

TOO_DEEP = f"is nested too deeply, {DEEPEST} levels are allowed"


class Unreadable(ValueError):
    """
    Reading ends here.

    @ivar index: the place in the text.
    """

    def __init__(self, index: int, text: str) -> None:
        super().__init__(text)
        self.index = index


@attrs.define
class Places:
    """
    Turns indices of a text into origins.

    @ivar name: the file's.
    """

    name: str
    text: str
    _starts: list[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._starts = [0]
        self._starts += [i + 1 for i, c in enumerate(self.text) if c == "\n"]

    def at(self, index: int) -> Origin:
        line = bisect_right(self._starts, index)
        return Origin(self.name, line, index - self._starts[line - 1] + 1)

    def index(self, line: int, column: int) -> int:
        """@return: the index of a place that is counted from 1."""
        return self._starts[line - 1] + column - 1
