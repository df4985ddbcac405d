"""Tests of how faults are collected and told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults, described, guess, listed, nearest, quoted
from portmux.config.tree import Items, Node, Origin, Scalar, Style, Table
from portmux.errors import ConfigError

HERE = Origin("f", 1, 2)


class FaultsTests(SynchronousTestCase):
    def test_nothing_wrong(self) -> None:
        faults = Faults()
        faults.warn(HERE, "odd")
        faults.check()

    def test_told_in_order(self) -> None:
        """Files by name, line and column as numbers; then what has no lines."""
        faults = Faults()
        faults.add(Origin("--set x"), "e")
        faults.add(Origin("b", 1, 1), "d")
        faults.add(Origin("a", 10, 1), "c")
        faults.add(Origin("a", 9, 10), "b")
        faults.add(Origin("a", 9, 9), "a", ("x", "0", "y"))
        error = self.assertRaises(ConfigError, faults.check)
        told = ("a:9:9: x.0.y: a", "a:9:10: b", "a:10:1: c", "b:1:1: d", "--set x: e")
        self.assertEqual(error.faults, told)

    def test_one_line_each(self) -> None:
        """What a file says cannot forge a second line."""
        faults = Faults()
        faults.add(Origin("a\nb", 1), "c\nd", ("e\r\x85\u2028",))
        error = self.assertRaises(ConfigError, faults.check)
        self.assertEqual(error.faults, (r"a\nb:1: e\r\x85\u2028: c\nd",))

    def test_warnings_apart(self) -> None:
        faults = Faults()
        faults.warn(Origin("f", 2), "b")
        faults.warn(Origin("f", 1), "a", ("k",))
        self.assertEqual(faults.warnings, ("f:1: k: a", "f:2: b"))


class WordTests(SynchronousTestCase):
    def test_guess(self) -> None:
        """Case is no difference; nothing close, nothing said."""
        self.assertEqual(
            guess("timout", ["timeout", "limit"]), '; did you mean "timeout"?'
        )
        self.assertEqual(nearest("KEEPALIVE", ["keepalive"]), "keepalive")
        self.assertEqual(guess("zzz", ["timeout"]), "")

    def test_quoted(self) -> None:
        self.assertEqual(quoted("a b"), '"a b"')
        self.assertEqual(quoted("a\nb"), r'"a\nb"')
        self.assertEqual(quoted("x" * 61), f'"{"x" * 60}..."')

    def test_listed(self) -> None:
        self.assertEqual(listed({"b": 1, "a": 2}), "a, b")

    def test_described(self) -> None:
        nodes: list[tuple[Node, str]] = [
            (Table(HERE), "an empty mapping"),
            (Items(HERE), "a list"),
            (Scalar("", HERE), "empty"),
            (Scalar("12", HERE, Style.TYPED), "12 without quotes"),
            (Scalar("a", HERE), '"a"'),
        ]
        for node, text in nodes:
            self.assertEqual(described(node), text)
