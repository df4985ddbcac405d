"""
What was changed while the program ran, over the configuration that it has read.

Each change is a value: a new L{Changes} that has one more. It is laid over any
configuration anew, and what that has no place for is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from portmux.config import parts
from portmux.config.complete import shown, told
from portmux.config.logs import Level
from portmux.config.model import Config, Listener
from portmux.config.pools import Backend, Pool
from portmux.config.shape import shape_of
from portmux.config.sources.tunnel import Tunnel
from portmux.config.tree import Entry, Origin, Table
from portmux.config.values import Kept, Name
from portmux.config.write import write
from portmux.core.address import Address
from portmux.core.option import option

Given = Mapping[str, "float | None"]
"""Limits that change, by the names of fields of L{Limits}."""


@attrs.frozen
class Treatment:
    """How a backend is treated; None: as the configuration says."""

    state: Literal["up", "draining", "disabled"] | None = option(
        "what an operator wants it to be", default=None
    )
    weight: int | None = option("its part of the sessions", default=None)


@attrs.frozen
class Limits:
    """All limits of a listener that can be changed."""

    connections: int | None = option("most live connections", default=None)
    per_source: int | None = option("most of one source", default=None)
    rate: float | None = option("most new ones of a source in a second", default=None)


@attrs.frozen
class Changes:
    """
    Nothing, or what was changed.

    @ivar tunnels: that were opened, or got other remotes.
    @ivar closed: names of listeners, tunnels among them, that were closed.
    """

    tunnels: tuple[Kept, ...] = option("opened or changed", default=())
    closed: tuple[str, ...] = option("listeners that were closed", default=())
    forward: Mapping[str, tuple[Address, ...]] = option(
        "backends of listeners that forward", factory=dict
    )
    pools: Mapping[Name, tuple[Address, ...]] = option(
        "backends of pools that have a name", factory=dict
    )
    backends: Mapping[str, Mapping[str, Treatment]] = option(
        "treatment of backends, by pool and address", factory=dict
    )
    limits: Mapping[str, Limits] = option("limits of listeners", factory=dict)
    level: Level | None = option("least level of messages", default=None)
    levels: Mapping[Name, Level] = option("levels of parts", factory=dict)

    # -- one more

    def opened(self, tunnel: Tunnel) -> Changes:
        """A tunnel is opened, or has other remotes."""
        name = str(tunnel.local)
        others = tuple(each for each in self.tunnels if str(each.local) != name)
        closed = tuple(each for each in self.closed if each != name)
        return attrs.evolve(self, tunnels=(*others, tunnel), closed=closed)

    def without(self, listener: str) -> Changes:
        """A listener is closed; one that is opened there again is a new one."""
        return attrs.evolve(
            self,
            tunnels=tuple(each for each in self.tunnels if str(each.local) != listener),
            closed=tuple(dict.fromkeys((*self.closed, listener))),
            forward={k: v for k, v in self.forward.items() if k != listener},
            backends={
                pool: how
                for pool, how in self.backends.items()
                if not _is_of(pool, listener)
            },
            limits={k: v for k, v in self.limits.items() if k != listener},
        )

    def forwarded(self, listener: str, to: tuple[Address, ...]) -> Changes:
        """A listener that forwards has these backends."""
        return attrs.evolve(self, forward={**self.forward, listener: to})

    def pooled(self, pool: str, backends: tuple[Address, ...]) -> Changes:
        """A pool that has a name has these backends."""
        return attrs.evolve(self, pools={**self.pools, pool: backends})

    def treated(self, pool: str, backend: str, **how: Any) -> Changes:
        """@param how: fields of L{Treatment}; a state of None is as good as up."""
        treated = dict(self.backends.get(pool, {}))
        treatment = attrs.evolve(treated.pop(backend, Treatment()), **how)
        if treatment != Treatment():
            treated[backend] = treatment
        backends = {k: v for k, v in self.backends.items() if k != pool}
        if treated:
            backends[pool] = treated
        return attrs.evolve(self, backends=backends)

    def left(self, pool: str, backends: Iterable[Address]) -> Changes:
        """A pool has these backends; of others nothing more is wanted."""
        known = set(map(str, backends))
        treated = {k: v for k, v in self.backends.get(pool, {}).items() if k in known}
        rest = {name: how for name, how in self.backends.items() if name != pool}
        if treated:
            rest[pool] = treated
        return attrs.evolve(self, backends=rest)

    def limited(self, listener: str, before: Limits, given: Given) -> Changes:
        """@param before: the limits in force."""
        limits = attrs.evolve(before, **dict(given))  # type: ignore[arg-type]
        return attrs.evolve(self, limits={**self.limits, listener: limits})

    def told(self, level: Level, part: str) -> Changes:
        """Other messages are written."""
        if not part:
            return attrs.evolve(self, level=level)
        return attrs.evolve(self, levels={**self.levels, part: level})

    # -- over a configuration

    def fitting(self, config: Config) -> tuple[Changes, list[str]]:
        """@return: those that a configuration has a place for, and why not others."""
        dropped: list[str] = []
        opened = {str(each.local): each for each in config.tunnels.open}
        listeners = {n: o for n, o in config.listeners.items() if n not in self.closed}
        taken = {bind.address for one in listeners.values() for bind in one.bind}
        tunnels = []
        for tunnel in self.tunnels:
            if tunnel.local in taken:
                dropped.append(f"the tunnel at {tunnel.local}: a listener is there")
            elif opened.get(str(tunnel.local)) != tunnel:
                tunnels.append(tunnel)
        names = {*config.listeners, *opened, *(str(each.local) for each in tunnels)}

        def known(what: str, name: str) -> bool:
            if name not in names:
                dropped.append(f"{what} of {name}: there is no such listener")
            return name in names

        def stands(pool: str) -> bool:
            there = pool in config.pools or pool in names or _is_ways(pool, listeners)
            if not there:
                dropped.append(f"treatment of backends of {pool}: it is gone")
            return there

        def part(name: str) -> bool:
            if (wrong := parts.fault(name)) is not None:
                dropped.append(f"a level of messages: {wrong}")
            return wrong is None

        kept = attrs.evolve(
            self,
            tunnels=tuple(tunnels),
            closed=tuple(name for name in self.closed if name in names),
            forward={n: to for n, to in self.forward.items() if known("backends", n)},
            pools={n: to for n, to in self.pools.items() if n in config.pools},
            backends={n: one for n, one in self.backends.items() if stands(n)},
            limits={n: one for n, one in self.limits.items() if known("limits", n)},
            levels={n: one for n, one in self.levels.items() if part(n)},
        )
        dropped += [
            f"backends of the pool {name}: there is no such pool"
            for name in self.pools
            if name not in config.pools
        ]
        return kept, dropped

    def over(self, config: Config) -> Config:
        """@return: the configuration with the changes, but for L{limiting}."""
        listeners = {
            name: self._forwarding(name, listener)
            for name, listener in config.listeners.items()
            if name not in self.closed
        }
        opened = {str(each.local): each for each in config.tunnels.open}
        opened = {name: one for name, one in opened.items() if name not in self.closed}
        opened |= {str(each.local): each for each in self.tunnels}
        log = config.log
        levels = {**log.levels, **self.levels}
        return attrs.evolve(
            config,
            listeners=listeners,
            pools={n: self._pool(n, pool) for n, pool in config.pools.items()},
            tunnels=attrs.evolve(config.tunnels, open=tuple(opened.values())),
            log=attrs.evolve(log, level=self.level or log.level, levels=levels),
            start=config.start if listeners or opened else "any",
        )

    def limiting(self, config: Config) -> Config:
        """@return: the configuration with other limits; its tunnels are listeners."""
        listeners = dict(config.listeners)
        for name, given in self.limits.items():
            if name in listeners:
                limits = attrs.evolve(
                    listeners[name].limits, **attrs.asdict(given, recurse=False)
                )
                listeners[name] = attrs.evolve(listeners[name], limits=limits)
        return attrs.evolve(config, listeners=listeners)

    def _forwarding(self, name: str, listener: Listener) -> Listener:
        to = self.forward.get(name)
        if to is None or not hasattr(listener.action, "to"):
            return listener
        action: Any = listener.action
        return attrs.evolve(listener, action=attrs.evolve(action, to=to))

    def _pool(self, name: str, pool: Pool) -> Pool:
        """One whose address stays is configured as before."""
        if name not in self.pools:
            return pool
        had = {each.address: each for each in pool.backends}
        backends = tuple(had.get(to) or Backend(to) for to in self.pools[name])
        return attrs.evolve(pool, backends=backends)

    # -- in words

    def written(self) -> str:
        """@return: YAML; empty where there is nothing."""
        origin = Origin("state")
        found = {
            key: Entry(
                origin, (told if key == "backends" else shown)(field.kind, value)
            )
            for key, field in shape_of(Changes).fields.items()
            if (value := getattr(self, field.name)) != field.default
        }
        return write(Table(origin, found)) if found else ""


def _is_of(pool: str, listener: str) -> bool:
    """
    @return: whether it is a pool of the listener's own: C{LISTENER/ROUTE}; a
        tunnel's is called like it, which no pool that has its own place can be.
    """
    return pool.partition("/")[0] == listener and ("/" in pool or ":" in pool)


_OTHER_WAYS = ("fallback", "silent", "undecided")


def _is_ways(pool: str, listeners: Mapping[str, Listener]) -> bool:
    """@return: whether a pool that has no name of its own has its place there."""
    name, way, *_ = *pool.split("/"), ""  # behind those, a target of some units
    listener = listeners.get(name)
    if listener is None or not listener.routes:
        return listener is not None
    return way in (*_OTHER_WAYS, *(route.name for route in listener.routes))
