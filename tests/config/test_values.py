"""Tests of which types are written as one scalar."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.values import LEAVES, Leaf, Name, leaf_of
from portmux.core.address import Address, BindAddress, Host, Inherited, Unix
from portmux.core.option import Octets, Seconds

KINDS = [str, bytes, int, float, bool, Seconds, Octets, Host, Unix, Name, str | int]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def leaf(kind: object) -> Leaf:
    found = leaf_of(kind)
    assert found is not None
    return found


class LeafTests(SynchronousTestCase):
    def test_known(self) -> None:
        """A union is the same in whatever order it is written."""
        for kind in [
            *KINDS,
            Address,
            BindAddress,
            Unix | Host,
            Inherited | Unix | Host,
        ]:
            self.assertIsNotNone(leaf_of(kind), kind)
        self.assertIsNone(leaf_of(tuple[int, ...]))
        self.assertIsNone(leaf_of(list))

    def test_choice(self) -> None:
        """Of words or of an enumeration, with a guess."""
        words = leaf(Literal["ordered", "eager"])
        self.assertEqual(words.read("eager"), "eager")
        error = self.assertRaises(ValueError, words.read, "eagre")
        self.assertIn('one of eager, ordered is; did you mean "eager"?', str(error))
        colours = leaf(Colour)
        self.assertIs(colours.read("red"), Colour.RED)
        self.assertEqual(colours.show(Colour.BLUE), "blue")
        self.assertEqual(leaf(Literal[301, 302]).read("301"), 301)

    def test_numbers_are_no_text(self) -> None:
        """C{0o644} of TOML is 420: it must not become the text C{420}."""
        self.assertTrue(all(leaf(kind).text for kind in (str, bytes, Host, Name)))
        for kind in (int, float, bool, Seconds, Octets, str | int, Literal[1]):
            self.assertFalse(leaf(kind).text, kind)

    def test_string(self) -> None:
        self.assertEqual(leaf(str).read("é\n"), "é\n")
        for text in ("a\0", "\ud800"):
            self.assertRaises(ValueError, leaf(str).read, text)

    def test_name(self) -> None:
        self.assertEqual(leaf(Name).read("git.example_1-x"), "git.example_1-x")
        for text in ("", "a b", "é", "a" * 65, "a\n"):
            self.assertRaises(ValueError, leaf(Name).read, text)

    @given(st.text())
    def test_shown_is_read(self, text: str) -> None:
        """Whatever a kind reads, it shows as text that it reads as the same."""
        for kind, each in LEAVES.items():
            try:
                value = each.read(text)
            except ValueError:
                continue
            self.assertEqual(each.read(each.show(value)), value, kind)
