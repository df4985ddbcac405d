"""Tests of TOML as a source."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.sources import toml
from portmux.config.sources.place import DEEPEST
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table
from tests.config.kinds import told


def read(text: str) -> tuple[Node | None, list[str]]:
    faults = Faults()
    return toml.parse("f", text, faults), told(faults)


def at(line: int, column: int) -> Origin:
    return Origin("f", line, column)


class ReadTests(SynchronousTestCase):
    def test_places_and_styles(self) -> None:
        node, faults = read("a = [1, 'x', \"y\"]\n[b]\nc = true\n")
        self.assertEqual(faults, [])
        a = Items(
            at(1, 5),
            (
                Scalar("1", at(1, 6), Style.TYPED),
                Scalar("x", at(1, 9), Style.QUOTED),
                Scalar("y", at(1, 14), Style.DOUBLE),
            ),
        )
        c = Entry(at(3, 1), Scalar("true", at(3, 5), Style.TYPED))
        self.assertEqual(
            node,
            Table(
                at(1, 1),
                {
                    "a": Entry(at(1, 1), a),
                    "b": Entry(at(2, 2), Table(at(2, 2), {"c": c})),
                },
            ),
        )

    def test_values(self) -> None:
        """Numbers are told in decimal, whatever they were written in."""
        for text, shown in [
            ("0xff", "255"),
            ("1_000", "1000"),
            ("2.50", "2.5"),
            ("inf", "inf"),
            ("false", "false"),
            ("2020-01-01", "2020-01-01"),
            ("0x" + "f" * 5000, "0x" + "f" * 5000),
        ]:
            node, faults = read(f"a = {text}")
            self.assertEqual(faults, [])
            assert isinstance(node, Table)
            self.assertEqual(node.get("a"), Scalar(shown, at(1, 5), Style.TYPED))

    def test_line_ends(self) -> None:
        node, _ = read("a = 1\r\nb = 2\r\n")
        assert isinstance(node, Table)
        self.assertEqual(node.entries["b"].origin, at(2, 1))

    def test_nothing(self) -> None:
        self.assertEqual(read(""), (Table(at(1, 1)), []))


class FaultTests(SynchronousTestCase):
    def test_places(self) -> None:
        for text, place in [
            ("a = 1\na = 2", "2:6"),
            (" \r\r\n\n", "1:2"),  # one CR goes with LF, none stands alone
            ("a", "1:2"),
            ("a = [1,\n", "2:1"),
            ("a = *", "1:5"),
            ("a = 'x", "1:7"),
            ("[a]\n[a]", "2:3"),
            ("a = \x01", "1:5"),
        ]:
            node, (fault,) = read(text)
            self.assertIsNone(node)
            self.assertTrue(fault.startswith(f"f:{place}: is not TOML, "), fault)
            self.assertNotIn("(at ", fault)

    def test_depth(self) -> None:
        self.assertEqual(read(f"a = {'[' * DEEPEST}{']' * DEEPEST}")[1], [])
        for text in ["a = " + "[" * 5000 + "]" * 5000, "a" + ".a" * 500 + " = 1"]:
            node, (fault,) = read(text)
            self.assertIsNone(node)
            self.assertIn("nested too deeply", fault)

    def test_too_many_digits(self) -> None:
        _, (fault,) = read("a = " + "9" * 5000)
        self.assertIn("too many digits", fault)


class PropertyTests(SynchronousTestCase):
    @given(st.text() | st.text(st.sampled_from("[]{}=,.\"'# \n\tab1-\\_")))
    def test_noise(self, text: str) -> None:
        """Read exactly when the standard library reads it."""
        node, faults = read(text)
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            self.assertIsNone(node)
            self.assertRegex(faults[0], r"^f:[1-9]\d*:[1-9]\d*: .")
        else:
            self.assertIsInstance(node, Table)
            self.assertEqual(faults, [])
