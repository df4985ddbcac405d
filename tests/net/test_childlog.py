"""Tests for L{portmux.net.childlog}."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.net.childlog import LONGEST, RATE, ErrorLines


def said(*pieces: bytes) -> list[str]:
    """@return: the lines made from a standard error that came in these pieces."""
    lines: list[str] = []
    errors = ErrorLines(Clock(), lines.append)
    for piece in pieces:
        errors.received(piece)
    errors.ended()
    return lines


class ErrorLinesTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Each line is one; blank ones say nothing; the last needs no end."""
        self.assertEqual(
            said(b"one\r\n\n  two and\n", b"a half", b" more"),
            ["one", "  two and", "a half more"],
        )

    def test_cannot_forge(self) -> None:
        """What is not visible, or could end a field, is escaped."""
        self.assertEqual(said(b'a\x1b[2J\r"b" \xff\n'), [r"a\x1b[2J\x0d\x22b\x22 \xff"])

    def test_long_line(self) -> None:
        """A line is shown up to a limit, and what is behind is no line of its own."""
        shown = "x" * LONGEST
        self.assertEqual(said(b"x" * LONGEST + b"\n"), [shown])
        self.assertEqual(said(b"x" * (LONGEST + 1)), [shown + "..."])
        self.assertEqual(
            said(b"x" * 900, b"x" * 900, b"x" * 900, b"y\nnext\n"),
            [shown + "...", "next"],
        )

    @given(st.lists(st.binary(max_size=LONGEST)), st.lists(st.integers(0, 5 * LONGEST)))
    def test_cuts_change_nothing(self, lines: list[bytes], cuts: list[int]) -> None:
        """However the program's writes are cut, the lines are the same."""
        whole = b"\n".join(lines * 2)
        edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
        pieces = [whole[start:end] for start, end in pairwise(edges)]
        self.assertEqual(said(*pieces), said(whole))

    def test_rate(self) -> None:
        """Of a flood the log gets some lines a second, and how many it did not get."""
        clock, lines = Clock(), list[str]()
        errors = ErrorLines(clock, lines.append)
        errors.received(b"x\n" * (RATE + 5))
        self.assertEqual(lines, ["x"] * RATE)
        clock.advance(1)
        errors.received(b"y\n")
        self.assertEqual(lines[RATE:], ["(5 more lines left out)", "y"])
        errors.received(b"x\n" * RATE)
        errors.ended()
        self.assertEqual(lines[-1], "(1 more lines left out)")
