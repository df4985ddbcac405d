"""Tests for L{portmux.core.regex.automaton}."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import product
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.regex.automaton import MOST_STATES, Automaton
from portmux.testing import steps

TEXT = "abAB1.\n-"

ATOMS = (
    *("a", "b", "ab", ".", "1", "-", "[ab]", "[^a]", "[a-c1]", "[]a]", "[^]a]"),
    *(r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\x61", r"\n", r"\."),
    *("^", "$", r"\A", r"\Z", "(?i:A)", "(?s:.)", "(?i:[^A])", "", "é"),
)
QUANTIFIERS = ("*", "+", "?", "{2}", "{1,2}", "{,2}", "{2,}", "{0}", "*?", "??")


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    grouped = inner.map(lambda text: f"(?:{text})")
    return st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda one: f"({'|'.join(one)})"),
        st.builds(str.__add__, grouped, st.sampled_from(QUANTIFIERS)),
    )


PATTERNS = st.recursive(st.sampled_from(ATOMS), _larger, max_leaves=12)
BYTES = st.text(TEXT, max_size=8).map(str.encode) | st.binary(max_size=6)


def reference(pattern: str, ignore_case: bool = False) -> re.Pattern[bytes]:
    """@return: what Python makes of it; its C{$} matches before a last LF too."""
    flags = re.IGNORECASE if ignore_case else 0
    return re.compile(pattern.replace("$", r"\Z").encode(), flags)


class AgainstPythonTests(SynchronousTestCase):
    """The language is that of the standard library's expressions over bytes."""

    @given(PATTERNS, st.booleans(), st.lists(BYTES, min_size=1, max_size=8))
    def test_whole(self, pattern: str, ignore_case: bool, texts: list[bytes]) -> None:
        automaton = Automaton.of_text(pattern, ignore_case)
        expected = reference(pattern, ignore_case)
        for text in texts:
            self.assertEqual(
                automaton.matches(text), expected.fullmatch(text) is not None, text
            )

    def test_loops(self) -> None:
        """All short texts, on expressions whose ways lead back."""
        short = [bytes(t) for size in range(7) for t in product(b"ab", repeat=size)]
        self.assert_same(
            (
                *("(a+b)*", "(ab|b)*a", "(a*b*)*ba", "((ab)*a|b{2})*", "(a|b|ab)*abb"),
                *("(a?b?){3}", "(a|ab)(b|bb)*", "(a{2,3}|b){2}"),
            ),
            short,
        )

    def test_long_repeats(self) -> None:
        """Ways that lead far ahead."""
        ends = (b"", b"b", b"ab")
        long = [b"a" * n + end for n in (0, 10, 59, 66, 70, 80, 81) for end in ends]
        self.assert_same(
            (
                *("a{0,80}b", "a{60,}b", "(a|b){70}", "a{3,}b?a{63}", "(aaa){0,70}ab"),
                *("(a{66}b?)*", "((ab|c){70}|a{10,})b", "(a{70}|b|a)*"),
            ),
            long,
        )

    def assert_same(self, patterns: Iterable[str], texts: Iterable[bytes]) -> None:
        for pattern in patterns:
            automaton, expected = Automaton.of_text(pattern), reference(pattern)
            for text in texts:
                found = expected.fullmatch(text) is not None
                self.assertEqual(automaton.matches(text), found, (pattern, text))

    @given(PATTERNS.filter(lambda p: "$" not in p and r"\Z" not in p), BYTES)
    def test_beginning(self, pattern: str, text: bytes) -> None:
        """Some beginning of the bytes fits: matched; none can any more: nowhere."""
        automaton, expected = Automaton.of_stream([pattern]), reference(pattern)
        state = automaton.go_on(automaton.start, text)
        self.assertEqual(state.matched, expected.match(text) is not None)

    @given(PATTERNS, BYTES, BYTES)
    def test_final(self, pattern: str, text: bytes, more: bytes) -> None:
        """
        What has matched matches whatever follows, C{$} or not; where nothing
        can match, nothing does.
        """
        automaton = Automaton.of_stream([pattern])
        state = automaton.go_on(automaton.start, text)
        if state.settled:
            found = reference(f"(?:{pattern})(?s:.)").match(text + more + b"\0")
            self.assertEqual(state.matched, found is not None)

    @given(PATTERNS, BYTES, st.integers(0, 8))
    def test_cuts(self, pattern: str, text: bytes, cut: int) -> None:
        """In two pieces the state is the same as in one."""
        automaton = Automaton.of_stream([pattern])
        state = automaton.go_on(automaton.start, text[:cut])
        self.assertIs(
            automaton.go_on(state, text[cut:]), automaton.go_on(automaton.start, text)
        )

    @given(PATTERNS, BYTES)
    def test_first(self, pattern: str, text: bytes) -> None:
        """Nothing that fits starts with another octet."""
        automaton = Automaton.of_text(pattern)
        if text and automaton.matches(text):
            self.assertIn(text[0], automaton.first())


class StreamTests(SynchronousTestCase):
    def test_settled(self) -> None:
        """It stops at the first octet that decides, either way."""
        automaton = Automaton.of_stream(["GET /"])
        self.assertTrue(automaton.go_on(automaton.start, b"GET /x").matched)
        self.assertFalse(automaton.go_on(automaton.start, b"GET ").settled)
        nowhere = automaton.go_on(automaton.start, b"GEX")
        self.assertEqual((nowhere.settled, nowhere.matched), (True, False))
        self.assertIs(automaton.go_on(nowhere, b"GET /"), nowhere)

    def test_no_end(self) -> None:
        """Nothing matches behind C{$}, so what could only match there is given up."""
        automaton = Automaton.of_stream(["ab$|acd"])
        self.assertFalse(automaton.go_on(automaton.start, b"a").settled)
        state = automaton.go_on(automaton.start, b"ab")
        self.assertEqual((state.settled, state.matched), (True, False))

    def test_dead_ends(self) -> None:
        """What can never match is given up at once."""
        for pattern in ("a^", "a$", r"ab[^\x00-\xff]", "(a+)+$"):
            automaton = Automaton.of_stream([pattern])
            self.assertTrue(automaton.go_on(automaton.start, b"a").settled, pattern)
            self.assertEqual(automaton.first(), frozenset(), pattern)

    def test_which(self) -> None:
        """The first of those that match after the fewest octets."""
        automaton = Automaton.of_stream(["abc", "ab", "a[b]", "x"])
        self.assertEqual(automaton.which(automaton.go_on(automaton.start, b"abc")), 1)
        self.assertRaises(LookupError, automaton.which, automaton.start)

    def test_first(self) -> None:
        for pattern, octets in (
            ("ab|c", b"ac"),
            ("a?b", b"ab"),
            ("(?i)get", b"gG"),
            ("^a", b"a"),
            ("$a|b", b"b"),
            ("é", b"\xc3"),
        ):
            found = Automaton.of_stream([pattern]).first()
            self.assertEqual(found, frozenset(octets), pattern)

    def test_fault(self) -> None:
        self.assertRaises(ValueError, Automaton.of_stream, ["a", "("])
        self.assertRaises(ValueError, Automaton.of_stream, ["a{3000}", "b{3000}"])


class TextTests(SynchronousTestCase):
    def test_end(self) -> None:
        """C{$} is the end, and not the place before a last line feed."""
        automaton = Automaton.of_text("ab$")
        self.assertTrue(automaton.matches(b"ab"))
        self.assertFalse(automaton.matches(b"ab\n"))

    def test_impossible(self) -> None:
        """It stops where nothing can match any more."""
        automaton = Automaton.of_text("ab")
        self.assertTrue(automaton.go_on(automaton.start, b"x").settled)
        self.assertFalse(automaton.go_on(automaton.start, b"ab").settled)

    def test_utf_8_repeats_whole_characters(self) -> None:
        automaton = Automaton.of_text("é+")
        self.assertTrue(automaton.matches("ééé".encode()))
        self.assertFalse(automaton.matches(b"\xc3\xa9\xa9"))


class WorkTests(SynchronousTestCase):
    """Counted in lines of Python, not timed."""

    def test_hostile_patterns(self) -> None:
        """Work is linear where others need all the time there is."""
        for pattern in (
            "(a+)+$",
            "(a|a)*$",
            "(a*)*b",
            "(a?){30}a{30}$",
            "(.*a){12}$",
            "a{0,900}b",
        ):
            automaton = Automaton.of_text(pattern)
            self.assert_linear(automaton, b"a", b"!")

    def test_more_states_than_are_kept(self) -> None:
        """An expression with 2**60 states takes a bounded step for each octet."""
        automaton = Automaton.of_text(".*a.{60}$")
        chosen = Random(1).choices(b"ab", k=8000)
        self.assert_linear(automaton, bytes(chosen), b"")
        self.assertLessEqual(len(automaton._states), MOST_STATES)

    def test_forgetting_changes_nothing(self) -> None:
        """A state that a connection holds stays valid when others are dropped."""
        automaton, expected = (
            Automaton.of_stream([".*a.{12}c"]),
            re.compile(b".*a.{12}c"),
        )
        data = bytes(Random(2).choices(b"ab", k=9000)) + b"c" * 13
        state = automaton.start
        for at in range(0, len(data), 7):
            automaton.go_on(automaton.start, data[at * 3 % 5000 :][:300])
            state = automaton.go_on(state, data[at : at + 7])
        self.assertEqual(state.matched, expected.match(data) is not None)

    def assert_linear(self, automaton: Automaton, unit: bytes, end: bytes) -> None:
        def run(times: int) -> Callable[[], Any]:
            data = unit * times + end
            return lambda: automaton.matches(data)

        size = max(1, 4000 // len(unit))
        steps(run(size))  # the states of short texts are made here
        self.assertLessEqual(steps(run(2 * size)), 2.2 * steps(run(size)))
        self.assertLessEqual(steps(run(size)), 300 * size * len(unit))
