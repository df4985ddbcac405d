"""Tests for L{portmux.core.regex.glushkov}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.regex.glushkov import (
    MOST_POSITIONS,
    START,
    Accepting,
    Positions,
    bits,
)
from portmux.core.regex.syntax import parse


def of(*numbers: int) -> int:
    """@return: the set of these positions."""
    return sum(1 << number for number in numbers)


def built(pattern: str) -> tuple[Positions, Accepting]:
    """@return: the positions of a pattern, and those it can end with."""
    positions = Positions()
    return positions, positions.add(parse(pattern))


class PositionsTests(SynchronousTestCase):
    def test_sequence(self) -> None:
        positions, accepting = built("abc")
        self.assertEqual(positions.follow, [of(1), of(2), of(3), 0])
        self.assertEqual(accepting, Accepting(of(3), of(3)))

    def test_choice(self) -> None:
        positions, accepting = built("ab|c")
        self.assertEqual(positions.follow, [of(1, 3), of(2), 0, 0])
        self.assertEqual(accepting.anywhere, of(2, 3))

    def test_loop(self) -> None:
        positions, accepting = built("(ab)*")
        self.assertEqual(positions.follow, [of(1), of(2), of(1)])
        self.assertEqual(accepting.anywhere, of(2) | START)

    def test_counted(self) -> None:
        """Optional copies stand within each other: none follows one far behind it."""
        positions, accepting = built("a{1,4}b")
        b = 5
        self.assertEqual(
            positions.follow, [of(1), of(2, b), of(3, b), of(4, b), of(b), 0]
        )
        self.assertEqual(accepting.anywhere, of(b))

    def test_start(self) -> None:
        """Behind an octet there is no start."""
        positions, accepting = built("a^b|^c")
        self.assertEqual(positions.follow, [of(1, 3), 0, 0, 0])
        self.assertEqual(accepting.anywhere, of(2, 3))

    def test_end(self) -> None:
        """Before an octet there is no end."""
        positions, accepting = built("a$b|c$")
        self.assertEqual(positions.follow, [of(1, 3), 0, 0, 0])
        self.assertEqual(accepting, Accepting(of(2), of(2, 3)))

    def test_start_and_end_add_up(self) -> None:
        """Ways that are open only at the start, or the end, join those of others."""
        for pattern, first, last in (
            ("(^a)?(^b)?c", of(1, 2, 3), of(3)),
            ("(^a|^)b", of(1, 2), of(2)),
            ("(a|b$)(c$)?", of(1, 2), of(1, 2, 3)),
            ("(a|b$)(c$|$)", of(1, 2), of(1, 2, 3)),
            ("(^|$)(^|$)a", of(1), of(1)),
        ):
            positions, accepting = built(pattern)
            found = positions.follow[0], accepting.at_end & ~START
            self.assertEqual(found, (first, last), pattern)

    def test_empty(self) -> None:
        """What matches no octets matches before the first."""
        for pattern, accepting in (
            ("", Accepting(START, START)),
            ("^", Accepting(START, START)),
            ("$", Accepting(0, START)),
            ("^$", Accepting(0, START)),
            ("(^|$)*", Accepting(START, START)),
        ):
            self.assertEqual(built(pattern)[1], accepting, pattern)

    def test_several_expressions(self) -> None:
        """They share the positions, and keep their ends apart."""
        positions = Positions()
        ends = [positions.add(parse(text)) for text in ("a", "b")]
        self.assertEqual(positions.follow[0], of(1, 2))
        self.assertEqual([end.anywhere for end in ends], [of(1), of(2)])

    def test_limit(self) -> None:
        """Expressions that would be too long are refused before they are."""
        built(f"a{{{MOST_POSITIONS}}}")
        for pattern in (f"a{{{MOST_POSITIONS + 1}}}", "((a{99}){99}){99}", "a{999999}"):
            fault = self.assertRaises(ValueError, built, pattern)
            self.assertIn(f"more than {MOST_POSITIONS} characters", str(fault))

    def test_nothing_is_not_repeated(self) -> None:
        """Groups of nothing cost nothing, however often they are repeated."""
        positions, accepting = built("(((){9999}){9999}){9999}")
        self.assertEqual((len(positions.follow), accepting.anywhere), (1, START))


class LeadingToTests(SynchronousTestCase):
    def test_loops_and_dead_ends(self) -> None:
        """Positions behind which nothing can match are not among them."""
        positions, accepting = built(r"a(bc)*d|ef^|g[^\x00-\xff]h")
        h = 9  # leads to the end, only nothing leads there
        self.assertEqual(positions.leading_to(accepting.anywhere), of(0, 1, 2, 3, 4, h))

    def test_back(self) -> None:
        """Ways that lead back are found too."""
        positions, _ = built("(abc)*")
        self.assertEqual(positions.leading_to(of(1)), of(0, 1, 2, 3))


class BitsTests(SynchronousTestCase):
    def test_order(self) -> None:
        self.assertEqual(list(bits(of(0, 5, 700))), [0, 5, 700])
