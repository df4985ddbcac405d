"""Tests for L{portmux.core.pattern}."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.pattern import Pattern, some


class GlobTests(SynchronousTestCase):
    def test_star(self) -> None:
        """A star stands for anything, dots and slashes and nothing included."""
        pattern = Pattern("*.example.org")
        self.assertTrue(pattern.matches("a.b.example.org"))
        self.assertTrue(pattern.matches(".example.org"))
        self.assertFalse(pattern.matches("example.org"))
        self.assertFalse(pattern.matches("a.example.org.net"))
        self.assertTrue(Pattern("/api/*").matches("/api/v1/users"))

    def test_the_whole_text(self) -> None:
        """Nothing may stand before or behind what fits, no line end either."""
        for glob in ("a", "a?", "[a]", "*a", "a*b"):
            self.assertFalse(Pattern(glob).matches("xab\n"), glob)
        self.assertFalse(Pattern("a").matches("a\n"))
        self.assertFalse(Pattern("[a]").matches("a\n"))

    @given(st.text("ab*?[]!-.", max_size=8), st.text("ab.[]\n", max_size=8))
    def test_as_fnmatch(self, glob: str, text: str) -> None:
        """The short cuts for common globs change nothing."""
        self.assertEqual(Pattern(glob).matches(text), fnmatchcase(text, glob))

    def test_long_and_hostile(self) -> None:
        """Nearly fitting texts cost no more than others: this ends at once."""
        pattern = Pattern("*a" * 40 + "b")
        self.assertFalse(pattern.matches("a" * 60_000))

    def test_case(self) -> None:
        """It counts, unless whoever asks says otherwise."""
        pattern = Pattern("*.Example.org")
        self.assertFalse(pattern.matches("www.example.org"))
        self.assertTrue(pattern.ignoring_case()("www.example.org"))

    def test_text_of_no_encoding(self) -> None:
        """Octets of a peer that are not UTF-8 are characters like others."""
        self.assertTrue(Pattern("/?").matches("/\udcff"))


class RegexTests(SynchronousTestCase):
    def test_the_whole_text(self) -> None:
        pattern = Pattern(regex="a|ab")
        self.assertTrue(pattern.matches("ab"))
        self.assertFalse(pattern.matches("abc"))

    def test_case(self) -> None:
        pattern = Pattern(regex="WWW[.].*")
        self.assertFalse(pattern.matches("www.x"))
        self.assertTrue(pattern.ignoring_case()("www.x"))

    def test_text_is_utf_8(self) -> None:
        self.assertTrue(Pattern(regex="/é+").matches("/éé"))
        self.assertTrue(Pattern(regex=r"/\xff").matches("/\udcff"))

    def test_hostile(self) -> None:
        """Where other engines take for ever; its work is counted in its tests."""
        self.assertFalse(Pattern(regex="(a+)+$").matches("a" * 60_000 + "b"))

    def test_faults(self) -> None:
        fault = self.assertRaises(ValueError, Pattern, regex="a(")
        self.assertEqual(
            str(fault), "'a(': there is no ')' for this '(', at character 2"
        )


class SomeTests(SynchronousTestCase):
    def test_none(self) -> None:
        some((Pattern("a"),))
        self.assertRaises(ValueError, some, ())


class PatternTests(SynchronousTestCase):
    def test_one_of_both(self) -> None:
        for options in ({}, {"glob": "a", "regex": "a"}):
            fault = self.assertRaises(ValueError, Pattern, **options)
            self.assertEqual(str(fault), "one of glob and regex is needed")

    def test_the_empty_ones(self) -> None:
        """They fit empty text only."""
        for pattern in (Pattern(""), Pattern(regex="")):
            self.assertTrue(pattern.matches(""))
            self.assertFalse(pattern.matches("a"))

    def test_equal_by_what_is_written(self) -> None:
        self.assertEqual(Pattern("*"), Pattern("*"))
        self.assertNotEqual(Pattern("a"), Pattern(regex="a"))

    def test_as_text(self) -> None:
        self.assertEqual([str(Pattern("*")), str(Pattern(regex="a"))], ["*", "regex a"])
