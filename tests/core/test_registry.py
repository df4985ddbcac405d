"""Tests for L{portmux.core.registry}."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import attrs
from twisted.trial.unittest import SynchronousTestCase

import portmux.actions
import portmux.core.frame
import portmux.core.match
from portmux.core.option import declared
from portmux.core.registry import Registry
from portmux.errors import ExtensionError


@attrs.frozen
class One:
    pass


@attrs.frozen
class Other:
    pass


class Plain:
    pass


class RegistryTests(SynchronousTestCase):
    """Kinds by name."""

    def setUp(self) -> None:
        self.registry = Registry()

    def test_sorts_are_apart(self) -> None:
        """A matcher, an action and a framer may have the same name."""
        self.registry.framer("echo", One)
        self.assertEqual(dict(self.registry.framers), {"echo": One})
        self.registry.matcher("echo", One)
        self.registry.action("echo", Other)
        self.assertEqual(dict(self.registry.matchers), {"echo": One})
        self.assertEqual(dict(self.registry.actions), {"echo": Other})

    def test_a_name_is_given_once(self) -> None:
        """A second kind does not replace the first one in silence."""
        self.registry.matcher("echo", One)
        error = self.assertRaises(ExtensionError, self.registry.matcher, "echo", Other)
        self.assertEqual(str(error), "there are two matchers named 'echo'")
        self.assertIs(self.registry.matchers["echo"], One)
        self.registry.action("echo", One)
        error = self.assertRaises(ExtensionError, self.registry.action, "echo", One)
        self.assertEqual(str(error), "there are two actions named 'echo'")

    def test_only_attrs_classes(self) -> None:
        """Without declared options nothing could be decoded."""
        error = self.assertRaises(ExtensionError, self.registry.matcher, "x", Plain)
        self.assertEqual(str(error), "the matcher 'x' is not an attrs class")
        error = self.assertRaises(ExtensionError, self.registry.action, "x", Plain)
        self.assertEqual(str(error), "the action 'x' is not an attrs class")
        self.assertFalse(self.registry.matchers or self.registry.actions)


ROOM = {
    "__init__.py": "",
    "b.py": "def register(registry):\n    registry.order.append('b')\n",
    "a.py": "def register(registry):\n    registry.order.append('a')\n",
    "helper.py": "",
}


@attrs.define
class Listing(Registry):
    """Registers nothing, but writes down who wanted to."""

    order: list[str] = attrs.field(factory=list)


class LoadTests(SynchronousTestCase):
    """A room's modules are found, not listed."""

    def room(self, files: dict[str, str]) -> ModuleType:
        """@return: a package of these files, imported."""
        top = Path(self.mktemp())
        (top / "room_of_tests").mkdir(parents=True)
        for name, text in files.items():
            (top / "room_of_tests" / name).write_text(text)
        self.patch(sys, "path", [str(top.absolute()), *sys.path])
        self.addCleanup(self.forget)
        return __import__("room_of_tests")

    def forget(self) -> None:
        for name in [name for name in sys.modules if name.startswith("room_of_tests")]:
            del sys.modules[name]

    def test_in_alphabetical_order(self) -> None:
        """It does not depend on the file system; helpers may be there."""
        registry = Listing()
        registry.load(self.room(ROOM))
        self.assertEqual(registry.order, ["a", "b"])

    def test_a_new_file_is_all_it_takes(self) -> None:
        """No other file names it."""
        registry = Listing()
        new = {"c.py": "def register(registry):\n    registry.order.append('c')\n"}
        registry.load(self.room(ROOM | new))
        self.assertEqual(registry.order, ["a", "b", "c"])

    def test_built_in_kinds(self) -> None:
        """Each has a one-line docstring and says of each option what it is for."""
        registry = Registry()
        registry.load(portmux.core.match)
        registry.load(portmux.core.frame)
        registry.load(portmux.actions)
        self.assertLessEqual(
            {"prefix", "regex", "http", "tls", "ssh", "always", "source", "local"}
            | {"time", "all", "any", "not"},
            set(registry.matchers),
        )
        self.assertLessEqual({"forward", "close", "echo"}, set(registry.actions))
        self.assertLessEqual({"line", "http", "modbus"}, set(registry.framers))
        every = (registry.matchers, registry.actions, registry.framers)
        for kind in (kind for kinds in every for kind in kinds.values()):
            self.assertTrue((kind.__doc__ or "").strip(), kind)
            for field in attrs.fields(kind):
                found = declared(field)
                self.assertEqual(found is not None, field.init, (kind, field.name))
                self.assertTrue(found is None or found.help, (kind, field.name))
