"""Tests of how trees are laid over each other."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.merge import assign, exact, folded, overlay
from portmux.config.sources import yaml
from portmux.config.tree import Node, Origin, Path, Scalar, Table
from tests.config.kinds import told

UPPER = Origin("upper")


def tree(text: str, name: str = "lower") -> Node:
    node = yaml.parse(name, text, Faults())
    assert node is not None
    return node


def plain(node: Node | None) -> object:
    """@return: the values alone."""
    if isinstance(node, Table):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if node is None or isinstance(node, Scalar):
        return node and node.text
    return [plain(value) for value in node.values]


class OverlayTests(SynchronousTestCase):
    def test_mappings_are_joined(self) -> None:
        """Everything else is replaced, lists too."""
        lower = tree("a: {b: 1, c: [1, 2]}\nd: 4\ne: {f: 1}")
        upper = tree("a: {c: [3], g: 5}\nd: {h: 6}\ne: 7", "upper")
        joined = overlay(lower, upper)
        self.assertEqual(
            plain(joined),
            {"a": {"b": "1", "c": ["3"], "g": "5"}, "d": {"h": "6"}, "e": "7"},
        )

    def test_places_are_kept(self) -> None:
        joined = overlay(tree("a: {b: 1, c: 2}"), tree("a: {c: 3}", "upper"))
        assert isinstance(joined, Table)
        inner = joined.get("a")
        assert isinstance(inner, Table)
        names = [entry.value.origin.name for entry in inner.entries.values()]
        self.assertEqual(names, ["lower", "upper"])


class AssignTests(SynchronousTestCase):
    def assign(self, text: str, path: str, value: str = "x") -> object:
        steps: Path = tuple(path.split("."))
        faults = Faults()
        node = assign(tree(text), steps, Scalar(value, UPPER), faults)
        return told(faults) or plain(node)

    def test_mappings(self) -> None:
        for text, path, value in [
            ("", "a", {"a": "x"}),
            ("", "a.b.c", {"a": {"b": {"c": "x"}}}),
            ("a: {b: 1, c: 2}", "a.b", {"a": {"b": "x", "c": "2"}}),
            ("a: 1", "a.b", {"a": {"b": "x"}}),
        ]:
            self.assertEqual(self.assign(text, path), value)

    def test_lists(self) -> None:
        """A position replaces, the one behind the last appends."""
        for text, path, value in [
            ("a: [1, 2]", "a.0", ["x", "2"]),
            ("a: [1, 2]", "a.2", ["1", "2", "x"]),
            ("a: [{b: 1, c: 2}]", "a.0.b", [{"b": "x", "c": "2"}]),
            ("", "a.0", ["x"]),
            ("a: 1", "a.1", ["1", "x"]),
            ("a: 1", "a.0", ["x"]),
        ]:
            self.assertEqual(self.assign(text, path), {"a": value})

    def test_no_such_position(self) -> None:
        for step in ("3", "b", "99999999999999999999"):
            said = str(self.assign("a: [1, 2]", f"a.{step}"))
            self.assertIn("is not a position in this list, 0 to 2 are", said)

    def test_mappings_are_joined(self) -> None:
        """As between files."""
        value = tree("b: 3", "upper")
        node = assign(tree("a: {b: 1, c: 2}"), ("a",), value, Faults())
        self.assertEqual(plain(node), {"a": {"b": "3", "c": "2"}})

    def test_keys(self) -> None:
        """Exact, or as a variable's name can say them."""
        lower = tree("Per_Source: {A-b: 1}")
        assert isinstance(lower, Table)
        self.assertEqual(exact(lower, "PER_SOURCE"), "PER_SOURCE")
        self.assertEqual(folded(lower, "PER_SOURCE"), "Per_Source")
        self.assertEqual(folded(lower, "HALF_CLOSE"), "half-close")
