"""
The kinds of matchers, actions and framers there are, by name.

A kind is one attrs class: its options are the fields declared with
L{portmux.core.option.option}. A module offers its kinds in one function,
C{register(registry)}; built-in rooms and extensions are loaded the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import attrs

from portmux.errors import ExtensionError


@attrs.define(eq=False)
class Registry:
    """
    @ivar matchers: name in a file to class; a decoded object is the matcher.
    @ivar actions: name in a file to class; a decoded object is what
        L{portmux.app.build} turns into a plan.
    @ivar framers: name in a file to class; a decoded object is a
        L{portmux.core.frame.framer.Framer}.
    """

    _matchers: dict[str, type[Any]] = attrs.field(factory=dict, init=False)
    _actions: dict[str, type[Any]] = attrs.field(factory=dict, init=False)
    _framers: dict[str, type[Any]] = attrs.field(factory=dict, init=False)

    @property
    def matchers(self) -> Mapping[str, type[Any]]:
        return self._matchers

    @property
    def actions(self) -> Mapping[str, type[Any]]:
        return self._actions

    @property
    def framers(self) -> Mapping[str, type[Any]]:
        return self._framers

    def matcher(self, name: str, kind: type[Any]) -> None:
        """@raise ExtensionError: the name is taken, or this is no attrs class."""
        _add(self._matchers, "matcher", name, kind)

    def action(self, name: str, kind: type[Any]) -> None:
        """@raise ExtensionError: the name is taken, or this is no attrs class."""
        _add(self._actions, "action", name, kind)

    def framer(self, name: str, kind: type[Any]) -> None:
        """@raise ExtensionError: the name is taken, or this is no attrs class."""
        _add(self._framers, "framer", name, kind)

    def load(self, room: ModuleType) -> None:
        """Let every module of a package register its kinds, in alphabetical order."""
        for found in iter_modules(room.__path__, room.__name__ + "."):
            register: Callable[[Registry], None] | None
            register = getattr(import_module(found.name), "register", None)
            if register is not None:
                register(self)


def _add(kinds: dict[str, type[Any]], sort: str, name: str, kind: type[Any]) -> None:
    if name in kinds:
        raise ExtensionError(f"there are two {sort}s named {name!r}")
    if not attrs.has(kind):
        raise ExtensionError(f"the {sort} {name!r} is not an attrs class")
    kinds[name] = kind
