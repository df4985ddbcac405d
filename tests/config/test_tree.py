"""Tests of nodes and their places."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.tree import (
    Entry,
    Items,
    Origin,
    Scalar,
    Style,
    Table,
    nearest_node,
    position,
    table,
    without,
)

HERE = Origin("f", 1, 2)


class OriginTests(SynchronousTestCase):
    def test_shown(self) -> None:
        """Only what is known is named."""
        self.assertEqual(str(Origin("a.conf", 3, 7)), "a.conf:3:7")
        self.assertEqual(str(Origin("a.conf", 3)), "a.conf:3")
        self.assertEqual(str(Origin("--set drain")), "--set drain")


class ScalarTests(SynchronousTestCase):
    def test_null(self) -> None:
        """A null is bare; in quotes it is text."""
        for text in ["", "~", "null"]:
            self.assertTrue(Scalar(text, HERE).null)
            self.assertFalse(Scalar(text, HERE, Style.QUOTED).null)
        self.assertTrue(Scalar("null", HERE, Style.TYPED).null)
        self.assertFalse(Scalar("none", HERE).null)

    def test_missing(self) -> None:
        self.assertTrue(Scalar("", HERE).missing)
        self.assertFalse(Scalar("", HERE, Style.DOUBLE).missing)
        self.assertFalse(Scalar("~", HERE).missing)


class TableTests(SynchronousTestCase):
    def test_made_of_values(self) -> None:
        """Keys stand where their values do; what is None is left out."""
        value = Scalar("x", HERE)
        made = table(Origin("g"), half_close=value, exec_=value, pid=None)
        self.assertEqual(list(made.entries), ["half-close", "exec"])
        self.assertEqual(made.entries["exec"], Entry(HERE, value))
        self.assertEqual(list(without(made, "exec").entries), ["half-close"])

    def test_nearest_node(self) -> None:
        """A path is followed as far as it goes."""
        leaf = Scalar("x", HERE)
        items = Items(HERE, (leaf,))
        root = table(HERE, a=items)
        self.assertIs(nearest_node(root, ("a", "0")), leaf)
        self.assertIs(nearest_node(root, ("a", "1")), items)
        self.assertIs(nearest_node(root, ("a", "x")), items)
        self.assertIs(nearest_node(root, ("b", "c")), root)
        self.assertIs(nearest_node(root, ("a", "0", "y")), leaf)
        self.assertIsNone(Table(HERE).get("a"))

    def test_position(self) -> None:
        self.assertEqual(position("12"), 12)
        for step in ["", "-1", "x", "\u0663", "9" * 5000]:
            self.assertIsNone(position(step))
