"""Tests for L{portmux.core.option}."""

from __future__ import annotations

from math import nan

import attrs
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.option import Option, at_least, declared, key_of, option


@attrs.frozen
class Basket:
    """A class with every sort of declaration."""

    patterns: tuple[str, ...] = option("what to look for", value=True, example="a")
    kill_after: float = option("how long to wait", default=1.5, check=at_least(0))
    from_: list[str] = option("where it comes from", factory=list)
    action: object = option("what to do", default=None, inline=True)
    _made: int = attrs.field(default=7, init=False)


class OptionTests(SynchronousTestCase):
    """A declaration is read back as it was written."""

    def field(self, name: str) -> attrs.Attribute[object]:
        found: attrs.Attribute[object] = getattr(attrs.fields(Basket), name)
        return found

    def test_what_was_declared(self) -> None:
        """Help, place and example stand at the field."""
        self.assertEqual(
            declared(self.field("patterns")),
            Option("what to look for", value=True, example="a"),
        )
        self.assertEqual(
            declared(self.field("action")), Option("what to do", inline=True)
        )

    def test_other_fields_are_no_options(self) -> None:
        """What a class computes for itself cannot be written in a file."""
        self.assertIsNone(declared(self.field("_made")))

    def test_defaults(self) -> None:
        """A default may follow or precede a required option; each gets a new list."""
        one, other = Basket(("a",)), Basket(("b",), kill_after=2.0)
        self.assertEqual((one.kill_after, other.kill_after), (1.5, 2.0))
        self.assertIsNot(one.from_, other.from_)

    def test_only_the_value_is_positional(self) -> None:
        """So an option may be added between others."""
        self.assertRaises(TypeError, Basket, ("a",), 2.0)

    def test_keys(self) -> None:
        """As they are written in a file: no blanks of Python's in them."""
        names = [key_of(field) for field in attrs.fields(Basket) if declared(field)]
        self.assertEqual(names, ["patterns", "kill-after", "from", "action"])


class CheckTests(SynchronousTestCase):
    """Checks say what is wrong and what is allowed."""

    def refusal(self, check: object, number: float | None) -> str:
        """@return: the text; empty if the number passes."""
        assert callable(check)
        try:
            check(number)
        except ValueError as error:
            return str(error)
        return ""

    @given(st.floats(), st.floats(allow_nan=False))
    @example(nan, 0.0)
    def test_at_least(self, number: float, least: float) -> None:
        """Just what is that large passes; what is no number does not."""
        self.assertEqual(self.refusal(at_least(least), number) == "", number >= least)

    def test_none_passes(self) -> None:
        """Whether there may be no number is a matter of the type."""
        self.assertEqual(self.refusal(at_least(1), None), "")

    def test_texts(self) -> None:
        """Numbers are told as they are written, large ones too."""
        self.assertEqual(
            self.refusal(at_least(1), 0), "0 is too small, 1 or more is allowed"
        )
        self.assertEqual(
            self.refusal(at_least(16777217), 1000001),
            "1000001 is too small, 16777217 or more is allowed",
        )
        self.assertEqual(
            self.refusal(at_least(0.001), 0.0005),
            "0.0005 is too small, 0.001 or more is allowed",
        )
