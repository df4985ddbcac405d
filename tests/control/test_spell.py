"""Tests for L{portmux.control.spell}."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.spell import INVALID, Command, of_json, of_line, parameter
from portmux.errors import CommandError


@attrs.frozen
class Paint:
    """
    Paint something.

    That is all.
    """

    thing: str = parameter("what to paint")
    coats: int = parameter("how often", default=1)
    top_colour: str = parameter("in which colour", default="", named=True)


@attrs.frozen
class Say:
    """Say it."""

    names: tuple[str, ...] = parameter("to whom")


@attrs.frozen
class Shout:
    """Shout it."""

    text: str = parameter("what", rest=True, missing="argument")


TABLE = (
    Command(Paint, "PAINT", "paint", changes=True),
    Command(Say, method="say"),
    Command(Shout, "SHOUT", plexy="SHOUT text"),
)


class LineTests(SynchronousTestCase):
    def refused(self, line: str) -> str:
        error = self.assertRaises(CommandError, of_line, TABLE, line)
        return str(error).removeprefix("Control protocol error: ")

    def test_words(self) -> None:
        """Split by single blanks; the word's case does not matter."""
        self.assertEqual(of_line(TABLE, "paint door"), Paint("door"))
        self.assertEqual(
            of_line(TABLE, "Paint door 2 top-colour=red"),
            Paint("door", 2, top_colour="red"),
        )
        self.assertEqual(of_line(TABLE, "paint door "), Paint("door"))
        self.assertEqual(of_line(TABLE, "shout a  b "), Shout("a  b "))

    def test_refused(self) -> None:
        """Each says what is wrong, in plexy's words where it has some."""
        for line, text in [
            ("", "Invalid command: "),
            ("frob x", "Invalid command: FROB"),
            (" paint x", "Invalid command: "),
            ("paint\tx", "Invalid command: PAINT\tX"),
            ("say x", "Invalid command: SAY"),
            ("paint", "Missing thing"),
            ("shout", "Missing argument"),
            ("paint door x", "coats is not a whole number: x"),
            ("paint door 1 colour=red", "Invalid argument to PAINT: colour=red"),
            ("paint door 1 red", "Invalid argument to PAINT: red"),
        ]:
            self.assertEqual(self.refused(line), text, line)

    def test_usage(self) -> None:
        """What is optional stands in brackets; plexy's own words win."""
        paint, _, shout = TABLE
        self.assertEqual(paint.usage, "PAINT THING [COATS] [top-colour=TOP-COLOUR]")
        self.assertEqual(paint.help, "Paint something.")
        self.assertEqual(shout.usage, "SHOUT text")


class JsonTests(SynchronousTestCase):
    def refused(self, method: str, params: object) -> tuple[int, str]:
        error = self.assertRaises(CommandError, of_json, TABLE, method, params)
        assert isinstance(error, CommandError)
        return error.code, error.data

    def test_positions_and_names(self) -> None:
        """Names in either spelling; null is as good as nothing."""
        whole = Paint("door", 2, top_colour="red")
        for params in (
            ["door", 2, "red"],
            {"thing": "door", "coats": 2, "top_colour": "red"},
            {"thing": "door", "coats": 2, "topColour": "red"},
        ):
            self.assertEqual(of_json(TABLE, "paint", params), whole)
        self.assertEqual(of_json(TABLE, "paint", ["door", None]), Paint("door"))
        self.assertEqual(of_json(TABLE, "say", [["a", "b"]]), Say(("a", "b")))

    def test_types(self) -> None:
        """The parameter is named."""
        for method, params, text in [
            ("paint", None, "thing is missing"),
            ("paint", [], "thing is missing"),
            ("paint", {"thing": None}, "thing is missing"),
            ("paint", [1], "thing is not text"),
            ("paint", ["a", "2"], "coats is not a whole number"),
            ("paint", ["a", True], "coats is not a whole number"),
            ("paint", ["a", 2.0], "coats is not a whole number"),
            ("paint", {"thing": "a", "size": 1}, "size is unknown"),
            ("paint", ["a", 1, "b", 4], "there are 4, 3 are allowed"),
            ("say", ["a"], "names is not an array of strings"),
            ("say", [["a", 1]], "names is not an array of strings"),
        ]:
            self.assertEqual(self.refused(method, params), (INVALID, text))

    def test_unknown(self) -> None:
        self.assertEqual(self.refused("nosuch", [])[0], -32601)
        self.assertEqual(self.refused("PAINT", ["door"])[0], -32601)

    def test_schema(self) -> None:
        thing, coats, _ = TABLE[0].parameters
        self.assertEqual(thing.schema(), {"type": "string"})
        self.assertEqual(coats.schema(), {"type": "integer"})
        (names,) = TABLE[1].parameters
        self.assertEqual(names.schema(), {"type": "array", "items": {"type": "string"}})
