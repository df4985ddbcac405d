"""
What changes have made of backends, in the words of a configuration.

A tunnel, and a list of backends, have no place for a weight: what has such a
change is written with a pool that has a name.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain, count
from typing import Any

import attrs

from portmux.config.changes import Changes, Limits, Treatment
from portmux.config.complete import told
from portmux.config.merge import overlay
from portmux.config.model import Config, Listener, Timeouts
from portmux.config.pools import LEAST_RECHECK, Backend, Connect, Eject, Pool, Tls
from portmux.config.sources.tunnel import Tunnel
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table, table
from portmux.config.tunnels import EVERY, LEAST
from portmux.core.option import Seconds

_HERE = Origin("state")


def pooled(
    tree: Table, changed: Config, changes: Changes
) -> tuple[Table, Config, Changes]:
    """
    @param tree: what the configuration was read from.
    @param changed: the configuration with the changes, see L{Changes.over}.
    @return: the tree with what changes have made of backends; the configuration,
        but for tunnels that are listeners there; the changes that are not in it.
    """
    page = _Page(tree, changed, changes)
    for name in {**changes.pools, **changes.backends}:
        if name in changed.pools:
            page.pool(name)
        elif "/" in name and page.weights(name):
            page.own_pool(name)
    for tunnel in changed.tunnels.open:
        local = str(tunnel.local)
        if local in changes.limits or page.weights(local):
            page.tunnel(tunnel)
    return page.tree, page.changed, page.changes


@attrs.define
class _Page:
    tree: Table
    changed: Config
    changes: Changes

    def weights(self, pool: str) -> dict[str, int]:
        """@return: those that were changed, by address."""
        treated = self.changes.backends.get(pool, {}).items()
        return {k: how.weight for k, how in treated if how.weight is not None}

    def pool(self, name: str) -> None:
        """Write the backends of a pool that has a name."""
        backends = self._weighed(name, self.changed.pools[name].backends)
        items = Items(_HERE, tuple(told(Backend, each) for each in backends))
        self._lay(pools=_table({name: table(_HERE, backends=items)}))
        self._said(name, name)

    def own_pool(self, name: str) -> None:
        """Give the pool of a listener, or of a route of it, a name of its own."""
        listener, _, way = name.partition("/")
        listeners = self.tree.get("listeners")
        if listener not in self.changed.listeners or not isinstance(listeners, Table):
            return
        action, path = _forward(self.changed.listeners[listener], way)
        if action is None:
            return
        pool = Pool(
            backends=self._weighed(name, map(Backend, action.to)),
            strategy=action.strategy,
            connect=action.connect,
            eject=action.eject,
            tls=action.tls,
        )
        source = tuple(map(_word, action.source))
        forward = table(
            _HERE,
            pool=_word(self._add(name, pool)),
            source=Items(_HERE, source) if source else None,
        )
        placed = _placed(listeners, (listener, *path), forward)
        assert isinstance(placed, Table)
        entries = {**self.tree.entries, "listeners": Entry(_HERE, placed)}
        self.tree = Table(self.tree.origin, entries)

    def tunnel(self, tunnel: Tunnel) -> None:
        """Write a tunnel as a listener, if that can do the same."""
        local, options = str(tunnel.local), self.changed.tunnels.whole(tunnel)
        assert options.timeout is not None and options.errors is not None
        assert options.check_interval is not None and options.strategy is not None
        recheck, bundle = options.check_interval, self.changed.tunnels.ca_bundle
        if not tunnel.remotes or not options.retries or recheck < LEAST_RECHECK:
            return
        pool = Pool(
            backends=self._weighed(local, map(Backend, tunnel.remotes)),
            strategy=options.strategy,
            connect=Connect(
                timeout=Seconds(max(LEAST, options.timeout)), attempts=options.retries
            ),
            eject=Eject(max(1, options.errors), recheck=recheck, max=EVERY),
            tls=Tls(ca_bundle=bundle) if options.remote_tls else None,
        )
        limits = self.changes.limits.get(local)
        listener = table(
            _HERE,
            bind=_word(local),
            forward=table(_HERE, pool=_word(self._add(local, pool))),
            timeouts=told(Timeouts, Timeouts(half_close=None)),
            limits=None if limits is None else told(Limits, limits),
        )
        name = _unused(local, self.changed.listeners)
        self._lay(listeners=_table({name: listener}))
        tunnels = self.changed.tunnels
        rest = tuple(each for each in tunnels.open if each != tunnel)
        self.changed = attrs.evolve(
            self.changed, tunnels=attrs.evolve(tunnels, open=rest)
        )
        left = {k: v for k, v in self.changes.limits.items() if k != local}
        self.changes = attrs.evolve(self.changes, limits=left)

    def _weighed(self, pool: str, backends: Iterable[Backend]) -> tuple[Backend, ...]:
        weights = self.weights(pool)
        return tuple(
            attrs.evolve(each, weight=weights.get(str(each.address), each.weight))
            for each in backends
        )

    def _add(self, name: str, pool: Pool) -> str:
        """@return: what the pool is called from now on."""
        fresh = _unused(name, self.changed.pools)
        pools = {**self.changed.pools, fresh: pool}
        self.changed = attrs.evolve(self.changed, pools=pools)
        self._lay(pools=_table({fresh: told(Pool, pool)}))
        self._said(name, fresh)
        return fresh

    def _said(self, name: str, fresh: str) -> None:
        """The weights of a pool are there; what else is wanted goes by its new name."""
        states = {
            address: Treatment(state=how.state)
            for address, how in self.changes.backends.get(name, {}).items()
            if how.state is not None
        }
        rest = {k: how for k, how in self.changes.backends.items() if k != name}
        self.changes = attrs.evolve(
            self.changes, backends={**rest, fresh: states} if states else rest
        )

    def _lay(self, **sections: Table) -> None:
        laid = overlay(self.tree, table(_HERE, **sections))
        assert isinstance(laid, Table)
        self.tree = laid


def _forward(listener: Listener, way: str) -> tuple[Any, tuple[str, ...]]:
    """@return: an action that has backends, and where it stands; else None."""
    places: Iterator[tuple[str, Any, tuple[str, ...]]] = chain(
        [("forward", listener.action, ())],
        (
            (each.name, each.action, ("routes", str(at)))
            for at, each in enumerate(listener.routes)
        ),
    )
    for name, action, path in places:
        if name == way and hasattr(action, "eject") and action.to:
            return action, (*path, "forward")
    return None, ()


def _placed(node: Node | None, path: tuple[str, ...], value: Node) -> Node:
    """@return: the tree, in which the value stands in place of what was there."""
    if not path:
        return value
    step, *rest = path
    if step.isdigit() and isinstance(node, Table):
        return _placed(node, tuple(rest), value)  # one route is a list of one
    if isinstance(node, Items):
        at = int(step)
        item = _placed(node.values[at], tuple(rest), value)
        return Items(node.origin, (*node.values[:at], item, *node.values[at + 1 :]))
    assert isinstance(node, Table)
    inner = _placed(node.get(step), tuple(rest), value)
    return Table(node.origin, {**node.entries, step: Entry(_HERE, inner)})


def _unused(local: str, taken: Container[str]) -> str:
    """@return: a name like this that nothing has yet."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", local).strip("-")[:60]
    numbered = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain((name,), numbered) if each not in taken)


def _table(values: Mapping[str, Node]) -> Table:
    return Table(_HERE, {key: Entry(_HERE, node) for key, node in values.items()})


def _word(text: str) -> Scalar:
    return Scalar(text, _HERE, Style.QUOTED)
