"""Write what was not said into a tree: every option with its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

import attrs

from portmux.config.model import Config
from portmux.config.shape import Field, Shape, shape_of, unwrap
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Table
from portmux.config.values import leaf_of
from portmux.core.frame.framer import Framer
from portmux.core.head import Matcher
from portmux.core.plan import Action
from portmux.core.registry import Registry

DEFAULT = Origin("default")


def complete(tree: Table, registry: Registry) -> Table:
    """
    @param tree: one that was decoded without a fault.
    @return: the same configuration, nothing left to defaults, which have the
        origin C{DEFAULT}.
    """
    whole = _Completer(registry).record(Config, tree)
    assert isinstance(whole, Table)
    return whole


def shown(kind: Any, value: Any) -> Node:
    """@return: a default as it may be written in a file."""
    kind, _ = unwrap(kind)
    if value is None:
        return Scalar("none", DEFAULT)
    if get_origin(kind) is tuple:
        (inner, _) = get_args(kind)
        return Items(DEFAULT, tuple(shown(inner, each) for each in value))
    if get_origin(kind) is Mapping:
        _, inner = get_args(kind)
        return _entries({key: shown(inner, each) for key, each in value.items()})
    leaf = leaf_of(kind)
    if leaf is not None:
        return Scalar(leaf.show(value), DEFAULT)
    fields = shape_of(kind).fields.values()
    return _entries({f.key: shown(f.kind, getattr(value, f.name)) for f in fields})


def told(kind: Any, value: Any) -> Node:
    """@return: a value as it may be written in a file, what is usual left out."""
    kind, _ = unwrap(kind)
    if value is None or leaf_of(kind) is not None:
        return shown(kind, value)
    if get_origin(kind) is tuple:
        (inner, _) = get_args(kind)
        return Items(DEFAULT, tuple(told(inner, each) for each in value))
    if get_origin(kind) is Mapping:
        _, inner = get_args(kind)
        return _entries({key: told(inner, each) for key, each in value.items()})
    shape = shape_of(kind)
    given = {
        field.key: told(field.kind, of_field)
        for field in shape.fields.values()
        if (of_field := getattr(value, field.name)) != _usual(field)
    }
    if shape.value is not None and given.keys() == {shape.value.key}:
        return given[shape.value.key]
    return _entries(given)


def _usual(field: Field) -> Any:
    return attrs.NOTHING if field.required else field.default


def _entries(values: Mapping[str, Node]) -> Table:
    return Table(DEFAULT, {key: Entry(DEFAULT, node) for key, node in values.items()})


@attrs.frozen
class _Completer:
    registry: Registry

    def value(self, kind: Any, node: Node) -> Node:
        kind, optional = unwrap(kind)
        if isinstance(node, Scalar) and optional and (node.text == "none" or node.null):
            return node
        if kind is Matcher:
            return self.kinds(self.registry.matchers, node)
        if kind is Action:
            return self.kinds(self.registry.actions, node)
        if kind is Framer:
            return self.kinds(self.registry.framers, node)
        if get_origin(kind) is tuple:
            inner = get_args(kind)[0]
            if not isinstance(node, Items):
                return self.value(inner, node)
            values = tuple(self.value(inner, each) for each in node.values)
            return Items(node.origin, values)
        if get_origin(kind) is Mapping and isinstance(node, Table):
            _, inner = get_args(kind)
            return _mapped(node, lambda key, each: self.value(inner, each))
        return node if leaf_of(kind) else self.record(kind, node)

    def kinds(self, kinds: Mapping[str, type[Any]], node: Node) -> Node:
        if isinstance(node, Items):
            values = tuple(self.kinds(kinds, each) for each in node.values)
            return Items(node.origin, values)
        if isinstance(node, Scalar):
            options = self.record(kinds[node.text], Table(node.origin))
            named = {node.text: Entry(node.origin, options)}
            filled = isinstance(options, Table) and options.entries
            return Table(node.origin, named) if filled else node
        return _mapped(node, lambda key, each: self.record(kinds[key], each))

    def record(self, cls: Any, node: Node) -> Node:
        shape = shape_of(cls)
        short = shape.value
        if isinstance(node, Scalar) and node.null:
            node = Table(node.origin)
        if short is not None and shape.shortened(node):
            value = self.value(short.kind, node)
            if len(shape.fields) == 1:
                return value
            node = Table(node.origin, {short.key: Entry(node.origin, value)})
        else:
            assert isinstance(node, Table)
            node = _mapped(node, lambda key, each: self.option(shape, key, each))
        moot = shape.moot([f.name for f in shape.fields.values() if _is_set(node, f)])
        absent = [
            field
            for key, field in shape.fields.items()
            if key not in node.entries and field.name not in moot
        ]
        # None of several is said by leaving them out; written, it may be refused.
        rest = {
            f.key: shown(f.kind, f.default) for f in absent if f.default not in ((), {})
        }
        return Table(node.origin, {**node.entries, **_entries(rest).entries})

    def option(self, shape: Shape, key: str, node: Node) -> Node:
        if key in shape.fields:
            return self.value(shape.fields[key].kind, node)
        return self.record(self.registry.actions[key], node)


def _is_set(node: Table, field: Field) -> bool:
    value = node.get(field.key)
    return value is not None and not (
        isinstance(value, Scalar) and (value.text == "none" or value.null)
    )


def _mapped(node: Table, change: Callable[[str, Node], Node]) -> Table:
    entries = {
        key: Entry(entry.origin, change(key, entry.value))
        for key, entry in node.entries.items()
    }
    return Table(node.origin, entries)
