"""Tests of what differs between two configurations."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.diff import Change, Difference, compare
from portmux.config.model import Bind
from portmux.core.address import Host
from tests.config.kinds import loaded

BEFORE = """
listeners:
  a: {bind: ["*:1", "*:2"], close: }
  b: {bind: "*:3", routes: {name: x, match: {prefix: A}, forward: "a:1"}}
log: {level: info}
"""


def bound(port: int) -> Bind:
    return Bind(Host("*", port))


class DiffTests(SynchronousTestCase):
    def compare(self, text: str) -> Difference:
        return compare(loaded(BEFORE).config, loaded(text).config)

    def changes(self, text: str) -> dict[str, Change]:
        return {each.name: each.change for each in self.compare(text).listeners}

    def test_nothing(self) -> None:
        """Read again, or written otherwise, it is the same."""
        for text in [
            BEFORE,
            BEFORE.replace("A}", "{hex: 41}}").replace('"*:3"', '["*:3"]'),
        ]:
            found = self.compare(text)
            self.assertFalse(found)
            self.assertEqual(found.options, frozenset())
            self.assertEqual({each.change for each in found.listeners}, {Change.SAME})

    def test_order_of_addresses(self) -> None:
        self.assertFalse(self.compare(BEFORE.replace('"*:1", "*:2"', '"*:2", "*:1"')))

    def test_changed(self) -> None:
        """Only the listener that says something else."""
        for old, new in [
            ("prefix: A", "prefix: B"),
            ("a:1", "a:2"),
            ("name: x", "name: y"),
            ('"*:3"', '"*:3", keepalive: false'),
        ]:
            found = self.changes(BEFORE.replace(old, new))
            self.assertEqual(found, {"a": Change.SAME, "b": Change.CHANGED})

    def test_rebound(self) -> None:
        """The addresses that stay are neither opened nor closed."""
        found = self.compare(BEFORE.replace("*:2", "*:4"))
        first, second = found.listeners
        self.assertEqual((first.change, second.change), (Change.REBOUND, Change.SAME))
        self.assertEqual(first.opened, (bound(4),))
        self.assertEqual(first.closed, (bound(2),))
        self.assertEqual((second.opened, second.closed), ((), ()))
        self.assertTrue(found)

    def test_options_of_a_socket(self) -> None:
        """An address with another backlog is another one."""
        found = self.compare(BEFORE.replace('"*:3"', '{address: "*:3", backlog: 1}'))
        second = found.listeners[1]
        self.assertIs(second.change, Change.REBOUND)
        self.assertEqual(second.opened, (Bind(Host("*", 3), backlog=1),))

    def test_added_and_removed(self) -> None:
        found = self.compare(BEFORE.replace("  b:", "  c:"))
        self.assertEqual(
            [(each.name, each.change) for each in found.listeners],
            [("a", Change.SAME), ("c", Change.ADDED), ("b", Change.REMOVED)],
        )
        _, added, removed = found.listeners
        self.assertEqual((added.opened, added.closed), ((bound(3),), ()))
        self.assertEqual((removed.opened, removed.closed), ((), (bound(3),)))
        self.assertIsNone(added.before)
        self.assertIsNone(removed.after)

    def test_options(self) -> None:
        """The other keys, by name."""
        found = self.compare(BEFORE.replace("info", "warn") + "drain: 1s\n")
        self.assertEqual(found.options, {"log", "drain"})
        self.assertEqual({each.change for each in found.listeners}, {Change.SAME})
        self.assertTrue(found)
