"""What a configuration needs of this machine and does not find, before it is run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from portmux.actions.execute import Exec
from portmux.app import state
from portmux.app.inputs import user
from portmux.config.control import Control
from portmux.config.faults import Faults, quoted
from portmux.config.load import Loaded
from portmux.config.model import Bind, Metrics
from portmux.config.pools import Tls
from portmux.config.shape import Field, shape_of
from portmux.config.tree import Items, Origin, Path, Table, nearest_node
from portmux.config.tunnels import Tunnels
from portmux.core import reach
from portmux.core.registry import Registry
from portmux.errors import ConfigError, PortmuxError
from portmux.net.contexts import Contexts
from portmux.net.preexec import group_id, user_entry

_READ: Final[Mapping[type[Any], tuple[str, ...]]] = {
    Control: ("token-file",),
    Metrics: ("token-file",),
    Tls: ("ca-bundle", "certificate", "key"),
    Tunnels: ("ca-bundle",),
}
"""Options that name a file which is read when portmux starts."""


@attrs.frozen
class Lack:
    """
    Something that is not there.

    @ivar key: the option, of those that stand together.
    @ivar sure: portmux does not start; else it may be there for another user, or in
        time.
    """

    key: str
    text: str
    sure: bool = True


def look(found: Loaded, registry: Registry, faults: Faults) -> None:
    """Look whether files, programs and users are there, as far as we may."""
    walk = _Walk(found.tree, {kind: name for name, kind in registry.actions.items()})
    for path, value in walk.records(found.config, ()):
        for lack in _lacks(value):
            where = (*path, lack.key)
            origin = nearest_node(found.tree, where).origin
            if lack.sure:
                faults.add(origin, lack.text, where)
            else:
                faults.warn(origin, f"warning: {lack.text}", where)
    name = found.config.state
    if name is not None and not list(_unread("state", name)):
        _look_into(name, registry, faults)


def _look_into(name: str, registry: Registry, faults: Faults) -> None:
    """What portmux itself has written, somebody may have changed."""
    try:
        state.read(name, "", registry)
    except PortmuxError as error:
        cause = error.__cause__
        each = cause.faults if isinstance(cause, ConfigError) else [str(error)]
        for text in each:
            faults.add(Origin(""), text)


@attrs.frozen
class _Walk:
    """@ivar actions: their names, by class."""

    tree: Table
    actions: Mapping[type[Any], str]

    def records(self, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
        """@return: all objects that have options, and where they were written."""
        if isinstance(value, tuple):
            listed = isinstance(nearest_node(self.tree, path), Items)
            for index, each in enumerate(value):
                yield from self.records(each, (*path, str(index)) if listed else path)
        elif isinstance(value, Mapping):
            for key, each in value.items():
                yield from self.records(each, (*path, str(key)))
        elif attrs.has(type(value)):
            yield path, value
            kind: Any = type(value)
            for field in shape_of(kind).all:
                each = getattr(value, field.name)
                yield from self.records(each, (*path, *self._keys(field, each)))

    def _keys(self, field: Field, value: Any) -> Path:
        """@return: of the option; an action has a key of its own, perhaps alone."""
        action = self.actions.get(type(value))
        if action is None:
            return (field.key,)
        return (action,) if field.option.inline else (field.key, action)


def _lacks(value: Any) -> Iterator[Lack]:
    for key in _READ.get(type(value), ()):
        name: str | None = getattr(value, key.replace("-", "_"))
        if name is not None:
            yield from _unread(key, name)
    if isinstance(value, Bind) and value.owner is not None:
        yield from _unknown(value.owner)
    elif isinstance(value, Exec):
        yield from _unrunnable(value)
    elif isinstance(value, Tls):
        yield from _unfit(value.wanted())


def _unread(key: str, name: str) -> Iterator[Lack]:
    try:
        with open(name, "rb"):
            pass
    except PermissionError:
        text = f"{name} cannot be read by user {user()}: permission denied"
        yield Lack(key, text, sure=False)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        yield Lack(key, f"{name} cannot be read: {why}")


def _unknown(owner: str) -> Iterator[Lack]:
    name, _, group = owner.partition(":")
    try:
        user_entry(name)
        if group:
            group_id(group)
    except ValueError as error:
        yield Lack("owner", str(error))


def _unrunnable(wanted: Exec) -> Iterator[Lack]:
    folder, name = wanted.directory or "", wanted.command[0]
    if folder and not os.path.isdir(folder):
        yield Lack("directory", f"there is no directory {folder}", sure=False)
    elif "/" in name:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            yield Lack("command", f"there is no program {quoted(path)}", sure=False)
        elif not os.access(path, os.X_OK):
            yield Lack("command", f"{path} is no program that {user()} may run", False)
    elif shutil.which(name, path=wanted.environment.get("PATH")) is None:
        yield Lack("command", f"there is no program {quoted(name)}", sure=False)


def _unfit(tls: reach.Tls) -> Iterator[Lack]:
    """Files that can be read must be what they are said to be."""
    named = (tls.ca_bundle, tls.certificate, tls.key)
    if any(list(_unread("", name)) for name in named if name is not None):
        return
    try:
        Contexts().read([tls])
    except ConfigError as error:
        for fault in error.faults:
            key, _, text = fault.removeprefix("tls.").partition(": ")
            yield Lack(key, text)
