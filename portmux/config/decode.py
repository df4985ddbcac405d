"""Turn a tree into objects by their declarations, and name every fault in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from typing import Any, Final, get_args, get_origin

import attrs

from portmux.config import octets
from portmux.config.faults import Faults, described, guess, listed, nearest, quoted
from portmux.config.shape import Field, Shape, shape_of, unwrap
from portmux.config.tree import (
    Entry,
    Items,
    Node,
    Path,
    Scalar,
    Style,
    Table,
    nearest_node,
)
from portmux.config.values import Leaf, PoolName, leaf_of
from portmux.core.frame.framer import Framer
from portmux.core.head import Matcher
from portmux.core.plan import Action
from portmux.core.registry import Registry

FAULTY: Final = object()
"""In place of a value whose fault has been told."""


@attrs.frozen
class Decoder:
    """
    Walks a tree beside the annotations of attrs classes.

    @ivar pools: the names that a pool may have; see L{pools_in}.

    A class may say in C{conflicts(given)} which of its values cannot stand
    together: it sees those that are in order, defaults included, by field name,
    and yields path and text of each fault. A class that stands in lists may name
    in C{unique} a key whose value no two of a list may share. A class may name in
    C{elsewhere} keys that are taken out of a file before it comes here.
    """

    registry: Registry
    faults: Faults
    pools: Collection[str] = ()

    def decode(self, kind: Any, node: Node, path: Path = ()) -> Any:
        """@return: a value of the annotation; L{FAULTY} when faults were added."""
        kind, optional = unwrap(kind)
        if isinstance(node, Scalar):
            if node.style is Style.BROKEN:
                return FAULTY
            if optional and (node.text == "none" or (node.null and node.text)):
                return None
        if kind is Matcher:
            return self._matcher(node, path)
        if kind is Action:
            return self._one("an action", self.registry.actions, node, path)
        if kind is Framer:
            return self._one("a protocol", self.registry.framers, node, path)
        if get_origin(kind) is tuple:
            return self._several(get_args(kind)[0], node, path)
        if get_origin(kind) is Mapping:
            names, values = get_args(kind)
            return self._named(names, values, node, path)
        if (leaf := leaf_of(kind)) is None:
            return self._record(kind, node, path)
        if optional:
            leaf = attrs.evolve(leaf, allowed=f"{leaf.allowed}, or none")
        read = {bytes: self._octets, PoolName: self._pool}.get(kind, self._leaf)
        return read(leaf, node, path)

    def _wrong(self, place: Node | Entry, path: Path, text: str) -> Any:
        self.faults.add(place.origin, text, path)
        return FAULTY

    def _unlike(self, node: Node, path: Path, allowed: str) -> Any:
        return self._wrong(node, path, f"is {described(node)}, {allowed} is allowed")

    def _leaf(self, leaf: Leaf, node: Node, path: Path) -> Any:
        if not isinstance(node, Scalar) or node.missing:
            return self._unlike(node, path, leaf.allowed)
        if node.style is Style.TYPED and (leaf.text or node.null):
            return self._unlike(node, path, leaf.allowed)
        try:
            return leaf.read(node.text)
        except ValueError as wrong:
            return self._wrong(node, path, str(wrong))

    def _pool(self, leaf: Leaf, node: Node, path: Path) -> Any:
        """The name of something that is configured elsewhere."""
        name = self._leaf(leaf, node, path)
        if name is FAULTY or name in self.pools:
            return name
        allowed = f"allowed: {listed(self.pools)}" if self.pools else "there is none"
        text = f"there is no pool {quoted(name)}, {allowed}{guess(name, self.pools)}"
        return self._wrong(node, path, text)

    def _octets(self, leaf: Leaf, node: Node, path: Path) -> Any:
        if isinstance(node, Table) and list(node.entries) == ["hex"]:
            node, path = node.entries["hex"].value, (*path, "hex")
            leaf = Leaf(octets.HEX, octets.from_hex)
        elif isinstance(node, Scalar) and node.style is Style.DOUBLE:
            leaf = attrs.evolve(leaf, read=octets.from_double_quotes)
        return self._leaf(leaf, node, path)

    def _several(self, kind: Any, node: Node, path: Path) -> Any:
        if not isinstance(node, Items):
            if key := self._named_in_place_of_items(kind, node):
                text = f"is a mapping, a list is allowed: - {{{key}, ...}}"
                return self._wrong(node, path, text)
            value = self.decode(kind, node, path)
            return FAULTY if value is FAULTY else (value,)
        values = tuple(
            self.decode(kind, item, (*path, str(index)))
            for index, item in enumerate(node.values)
        )
        twice = self._twice(getattr(kind, "unique", ""), node, path)
        return FAULTY if twice or FAULTY in values else values

    def _named_in_place_of_items(self, kind: Any, node: Node) -> str:
        """@return: how the first of several begins in a list; else nothing."""
        unique = getattr(kind, "unique", "")
        if not unique or not isinstance(node, Table) or not node.entries:
            return ""
        strange = self._keys(shape_of(kind)).isdisjoint(node.entries)
        values = (entry.value for entry in node.entries.values())
        if not strange or not all(isinstance(value, Table) for value in values):
            return ""
        return f"{unique}: {next(iter(node.entries))}"

    def _twice(self, key: str, node: Items, path: Path) -> bool:
        seen: set[str] = set()
        twice = False
        for index, item in enumerate(node.values):
            name = item.get(key) if isinstance(item, Table) else None
            if not isinstance(name, Scalar):
                continue
            if name.text in seen:
                text = f"{quoted(name.text)} is there already, one of a name is allowed"
                self._wrong(name, (*path, str(index), key), text)
                twice = True
            seen.add(name.text)
        return twice

    def _named(self, names: Any, kind: Any, node: Node, path: Path) -> Any:
        if not isinstance(node, Table):
            return self._unlike(node, path, "a mapping from names to values")
        values: dict[Any, Any] = {}
        options = self._keys(shape_of(kind)) if attrs.has(kind) else ()
        for key, entry in node.entries.items():
            if key in options and not isinstance(entry.value, Table):
                text = "is an option, a name is allowed; is it indented too little?"
                values[key] = self._wrong(entry, (*path, key), text)
                continue
            name = self.decode(names, Scalar(key, entry.origin, Style.QUOTED), path)
            value = self.decode(kind, entry.value, (*path, key))
            values[name] = FAULTY if name is FAULTY else value
        return FAULTY if FAULTY in values.values() else values

    def _matcher(self, node: Node, path: Path) -> Any:
        """All keys of one mapping must match, or any item of a list."""
        if isinstance(node, Items):
            return self._joined("any", self._several(Matcher, node, path), node, path)
        parts = self._kinds("a matcher", self.registry.matchers, node, path)
        return parts[0] if len(parts) == 1 else self._joined("all", parts, node, path)

    def _joined(self, name: str, parts: Any, node: Node, path: Path) -> Any:
        if parts is FAULTY or FAULTY in parts:
            return FAULTY
        cls: Any = self.registry.matchers[name]
        (field,) = shape_of(cls).all
        return self._build(cls, {field.name: parts}, node, path)

    def _one(self, what: str, kinds: Mapping[str, Any], node: Node, path: Path) -> Any:
        parts = self._kinds(what, kinds, node, path)
        if len(parts) == 1:
            return parts[0]
        text = f"has {len(parts)} keys, one {what.partition(' ')[2]} is allowed"
        return self._wrong(node, path, text)

    def _kinds(
        self, what: str, kinds: Mapping[str, Any], node: Node, path: Path
    ) -> tuple[Any, ...]:
        """Decode a name alone, or each key of a mapping."""
        if isinstance(node, Scalar) and node.style is not Style.TYPED and node.text:
            alone = Entry(node.origin, Scalar("", node.origin))
            node = Table(node.origin, {node.text: alone})
        if not isinstance(node, Table) or not node.entries:
            return (self._unlike(node, path, f"one of {listed(kinds)}"),)
        return tuple(
            self._kind(what, kinds, name, entry, path)
            for name, entry in node.entries.items()
        )

    def _kind(
        self, what: str, kinds: Mapping[str, Any], name: str, entry: Entry, path: Path
    ) -> Any:
        if name in kinds:
            return self._record(kinds[name], entry.value, (*path, name))
        text = f"{quoted(name)} is not {what}, allowed: {listed(kinds)}"
        return self._wrong(entry, path, text + guess(name, kinds))

    def _record(self, cls: Any, node: Node, path: Path) -> Any:
        shape = shape_of(cls)
        if isinstance(node, Scalar) and (node.missing or node.null):
            if shape.value is not None and shape.value.required:
                return self._unlike(node, path, self._wanted(shape.value.kind))
            node = Table(node.origin)
        if shape.value is not None and shape.shortened(node):
            given = {shape.value.name: self._field(shape.value, node, path)}
        elif isinstance(node, Table):
            given = self._fields(shape, node, path)
        else:
            keys = listed(self._keys(shape))
            allowed = f"a mapping with keys of {keys}" if keys else "nothing"
            return self._unlike(node, path, allowed)
        return self._build(cls, given, node, path)

    def _wanted(self, kind: Any) -> str:
        """@return: what may stand for one value of the annotation, for people."""
        kind, _ = unwrap(kind)
        if get_origin(kind) is tuple:
            return self._wanted(get_args(kind)[0])
        leaf = leaf_of(kind)
        return (
            f"one of {listed(self.registry.matchers)}" if leaf is None else leaf.allowed
        )

    def _keys(self, shape: Shape) -> Set[str]:
        verbs = self.registry.actions if shape.inline else {}
        return {*shape.fields, *verbs}

    def _fields(self, shape: Shape, node: Table, path: Path) -> dict[str, Any]:
        verbs = self.registry.actions if shape.inline else {}
        known = {*self._keys(shape), *shape.elsewhere}
        given: dict[str, Any] = {}
        meant: set[str | None] = set()
        for key, entry in node.entries.items():
            if field := shape.fields.get(key):
                given[field.name] = self._field(field, entry.value, (*path, key))
            elif key in shape.elsewhere:
                text = "is for files, it means nothing here"
                given[key] = self._wrong(entry, (*path, key), text)
            elif key not in verbs:
                meant.add(nearest(key, known))
                allowed = f"allowed: {listed(known)}" if known else "none is allowed"
                text = f"unknown key, {allowed}{guess(key, known)}"
                given[key] = self._wrong(entry, (*path, key), text)
        for field in shape.fields.values():
            if field.required and field.name not in given:
                given[field.name] = FAULTY
                if field.key not in meant:  # else it was told with that key
                    self._wrong(node, path, f"the key {field.key} is missing")
        if shape.inline is not None:
            self._inline(shape.inline, not meant.isdisjoint(verbs), node, path, given)
        return given

    def _inline(
        self, field: Field, told: bool, node: Table, path: Path, given: dict[str, Any]
    ) -> None:
        verbs = self.registry.actions
        found = {
            verb: self._kind("an action", verbs, verb, entry, path)
            for verb, entry in node.entries.items()
            if verb in verbs
        }
        if len(found) == 1:
            given[field.name] = found.popitem()[1]
        elif found:
            last = node.entries[list(found)[-1]]
            text = f"there are {len(found)} actions, {listed(found)}; one is allowed"
            given[field.name] = self._wrong(last, path, text)
        elif field.required or told:
            given[field.name] = FAULTY
            if not told:
                text = f"an action is missing, one of {listed(verbs)} is needed"
                self._wrong(node, path, text)

    def _field(self, field: Field, node: Node, path: Path) -> Any:
        value = self.decode(field.kind, node, path)
        if value is not FAULTY and field.option.check is not None:
            try:
                field.option.check(value)
            except ValueError as wrong:
                return self._wrong(node, path, str(wrong))
        return value

    def _build(self, cls: Any, given: dict[str, Any], node: Node, path: Path) -> Any:
        absent = [field for field in shape_of(cls).all if field.name not in given]
        seen = {field.name: field.default for field in absent} | given
        seen = {name: value for name, value in seen.items() if value is not FAULTY}
        clashes = list(cls.conflicts(seen)) if hasattr(cls, "conflicts") else []
        for where, text in clashes:
            self._wrong(nearest_node(node, where), (*path, *where), text)
        if clashes or FAULTY in given.values():
            return FAULTY
        try:
            return cls(**given)
        except ValueError as wrong:
            return self._wrong(node, path, str(wrong.args[0]))


def pools_in(tree: Table) -> Collection[str]:
    """@return: the names of the pools that a whole configuration has."""
    entry = tree.entries.get("pools")
    found = None if entry is None else entry.value
    return list(found.entries) if isinstance(found, Table) else ()
