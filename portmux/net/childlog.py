"""A program's standard error as lines for the log: bounded in length and rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime

from portmux.core.head import printable

LONGEST: Final = 1024
"""Octets shown of a line; a longer one is no message for people (taste)."""

RATE: Final = 100
"""Lines in a second; more would bury what other sessions have to say (taste)."""


class ErrorLines:
    """
    Cut octets into lines and give each, made printable, to the log.

    A program that says too much is not held up; what it says is left out, and
    how much of it is said in its place.
    """

    def __init__(self, clock: IReactorTime, line: Callable[[str], None]) -> None:
        """@param line: takes one line of printable text, never an empty one."""
        self._clock = clock
        self._line = line
        self._rest = b""
        self._cut = False
        self._second = 0
        self._count = 0

    def received(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._say(line)
            self._cut = False
        self._cut = self._cut or len(rest) > LONGEST
        self._rest = rest[:LONGEST]

    def ended(self) -> None:
        """What has no line's end is the last line."""
        self._say(self._rest)
        self._rest = b""
        self._tell_left_out()

    def _say(self, line: bytes) -> None:
        text = readable(line[:LONGEST].rstrip())
        if self._cut or len(line) > LONGEST:
            text += "..."
        if not text:
            return
        second = int(self._clock.seconds())
        if second != self._second:
            self._tell_left_out()
            self._second, self._count = second, 0
        self._count += 1
        if self._count <= RATE:
            self._line(text)

    def _tell_left_out(self) -> None:
        if self._count > RATE:
            self._line(f"({self._count - RATE} more lines left out)")
        self._count = 0


def readable(line: bytes) -> str:
    """@return: the line with its blanks, and the rest by L{printable}."""
    return " ".join(printable(word, len(word)) for word in line.split(b" "))
