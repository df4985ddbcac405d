"""Write a configuration with what was changed in it, as a portmux.conf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from portmux.config.changes import Changes, Limits
from portmux.config.complete import shown
from portmux.config.faults import Faults
from portmux.config.merge import assign, overlay
from portmux.config.model import Config
from portmux.config.pooled import pooled
from portmux.config.shape import shape_of
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table, table
from portmux.config.tree import without as left
from portmux.config.write import write

_HERE = Origin("state")


def saved(tree: Table, changed: Config, changes: Changes) -> str:
    """
    @param tree: what the configuration was read from.
    @param changed: the configuration with the changes, see L{Changes.over}.
    @return: YAML; what no configuration can say stands in comments above.
    """
    opened = changed.tunnels.open
    tree = _listeners(tree, changes)
    tree, changed, changes = pooled(tree, changed, changes)
    if changes.tunnels or changes.closed or changed.tunnels.open != opened:
        tree = _tunnels(tree, changed)
    if changes.level is not None or changes.levels:
        levels = {name: _word(level) for name, level in changes.levels.items()}
        inner = _table(levels) if levels else None
        level = None if changes.level is None else _word(changes.level)
        log = table(_HERE, level=level, levels=inner)
        tree = _laid(tree, table(_HERE, log=log))
    notes = "".join(f"# {line}\n" for line in _unsaid(changed, changes))
    return notes + write(tree)


def _listeners(tree: Table, changes: Changes) -> Table:
    listeners = tree.get("listeners")
    if not isinstance(listeners, Table):
        return tree
    for name in changes.closed:
        listeners = left(listeners, name)
    for name, to in changes.forward.items():
        if name in listeners.entries:
            listeners = _forwarding(listeners, name, list(map(str, to)))
    for name, limits in changes.limits.items():
        if name in listeners.entries:
            fields = shape_of(Limits).fields.items()
            given = {k: shown(f.kind, getattr(limits, f.name)) for k, f in fields}
            inner = _table({name: _table({"limits": _table(given)})})
            listeners = _laid(listeners, inner)
    entries = {**tree.entries, "listeners": Entry(_HERE, listeners)}
    if not listeners.entries:
        del entries["listeners"]
    return Table(tree.origin, entries)


def _forwarding(listeners: Table, name: str, to: Sequence[str]) -> Table:
    items = Items(_HERE, tuple(map(_word, to)))
    found = listeners.get(name)
    before = found.get("forward") if isinstance(found, Table) else None
    path = (name, "forward", "to") if isinstance(before, Table) else (name, "forward")
    laid = assign(listeners, path, items, Faults())
    assert isinstance(laid, Table)
    return laid


def _tunnels(tree: Table, changed: Config) -> Table:
    sound = [each for each in changed.tunnels.open if each.remotes]
    opened = Items(_HERE, tuple(_word(str(each)) for each in sound))
    section = tree.get("tunnels")
    if isinstance(section, Table):
        laid: Node = _laid(section, table(_HERE, open=opened))
    else:
        laid = opened
    entries = {**tree.entries, "tunnels": Entry(_HERE, laid)}
    if not opened.values and not isinstance(section, Table):
        del entries["tunnels"]
    return Table(tree.origin, entries)


def _unsaid(changed: Config, changes: Changes) -> Iterator[str]:
    """@return: a line for each change that lives in the running program only."""
    for tunnel in changed.tunnels.open:
        if not tunnel.remotes:
            yield f"the tunnel at {tunnel.local} has no remotes: give it one"
    for name in changes.limits:
        if name not in changed.listeners:
            yield f"limits of {name}: a tunnel has none in a configuration"
    for pool, backends in changes.backends.items():
        for backend, treatment in backends.items():
            said = attrs.asdict(treatment)
            told = ", ".join(f"{k} {v}" for k, v in said.items() if v is not None)
            yield f"pool {pool}, backend {backend}: {told}"


def _laid(lower: Table, upper: Table) -> Table:
    laid = overlay(lower, upper)
    assert isinstance(laid, Table)
    return laid


def _table(values: Mapping[str, Node]) -> Table:
    return Table(_HERE, {key: Entry(_HERE, node) for key, node in values.items()})


def _word(text: str) -> Scalar:
    return Scalar(text, _HERE, Style.QUOTED)
