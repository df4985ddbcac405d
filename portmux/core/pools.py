"""
Every pool in use, by name: they outlive the configurations that speak of them.

A configuration's policies are made before it is certain that it comes into
force; until then a L{Draft} holds what it wants of the pools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count

import attrs

from portmux.core.address import Address
from portmux.core.backend import Change
from portmux.core.plan import Forwarding, Plan, Serving
from portmux.core.pool import Pool, Settings
from portmux.core.reach import Tls

_Wanted = tuple[Settings, tuple[tuple[Address, int, int | None], ...]]


@attrs.define(eq=False)
class Pools:
    """@ivar observers: told of each change of a backend of any pool, after it."""

    observers: list[Callable[[Change], None]] = attrs.field(factory=list)
    _pools: dict[str, Pool] = attrs.field(factory=dict, init=False)
    _wanted: dict[str, _Wanted] = attrs.field(factory=dict, init=False)

    def __iter__(self) -> Iterator[Pool]:
        return iter(self._pools.values())

    def __len__(self) -> int:
        return len(self._pools)

    def get(self, name: str) -> Pool | None:
        """@param name: a pool's in the configuration, or C{LISTENER/ROUTE}."""
        return self._pools.get(name)

    def weight(self, name: str, address: Address) -> int:
        """@return: what the configuration says of a backend of a pool that is there."""
        _, backends = self._wanted[name]
        return next((w for each, w, _ in backends if each == address), 1)

    def draft(self, shared: Mapping[str, Pool]) -> Draft:
        """@param shared: what a configuration says of pools that have a name."""
        for name, pool in shared.items():
            pool.name = name
        return Draft(self, dict(shared))

    def put(self, name: str, wanted: Pool, now: float) -> None:
        """Have this pool, or what is there of it be as it says; else leave it alone."""
        told = (
            wanted.settings,
            tuple((each.address, each.weight, each.most) for each in wanted.backends),
        )
        pool = self._pools.get(name)
        if pool is None:
            wanted.observers = self.observers
            wanted.begin(name, now)
            self._pools[name] = wanted
        elif told != self._wanted[name]:
            pool.configure(wanted.settings)
            pool.follow(wanted.backends, now)
        self._wanted[name] = told

    def keep(self, used: Iterable[Pool], now: float) -> None:
        """Forget all others; their sessions go on, and nobody is told of them."""
        kept = {pool.name for pool in used}
        for name in [name for name in self._pools if name not in kept]:
            gone = self._pools.pop(name)
            del self._wanted[name]
            gone.observers = []
            for backend in gone.backends:
                reason = "the pool is gone"
                change = Change(gone, backend, backend.state, None, reason, now)
                for observer in list(self.observers):
                    observer(change)


@attrs.define(eq=False)
class Draft:
    """What a configuration will have of the pools once it is in force."""

    _pools: Pools
    _shared: dict[str, Pool]
    _own: dict[str, Pool] = attrs.field(factory=dict, init=False)

    def bound(self, plan: Plan, name: str) -> Plan:
        """
        @param name: of the place where the plan's action stands.
        @return: the plan, with the pools that live on under their names.
        """
        if isinstance(plan, Forwarding):
            return attrs.evolve(plan, pool=self._bound(plan.pool, name))
        if isinstance(plan, Serving) and plan.lasting is not None:
            first, *others = plan.lasting.pools
            bound = [self._bound(first, name)]
            bound += [self._bound(pool, _told(name, pool)) for pool in others]
            plan.lasting.pools = bound
        return plan

    def _bound(self, wanted: Pool, name: str) -> Pool:
        if wanted.name in self._shared:
            wanted = self._shared[wanted.name]
        else:
            wanted.name = wanted.name or self._unused(name)
            self._own[wanted.name] = wanted
        return self._pools.get(wanted.name) or wanted

    def wanted(self, used: Iterable[Pool]) -> set[Tls]:
        """@return: what pools need, among them C{used}, once this is in force."""
        coming = self._shared | self._own
        pools = {pool.name: pool for pool in used} | coming
        found = (pool.settings.reach.tls for pool in pools.values())
        return {tls for tls in found if tls is not None}

    def _unused(self, name: str) -> str:
        """A route may have the name of another place, such as C{fallback}."""
        numbered = (f"{name}-{number}" for number in count(2))
        return next(each for each in chain((name,), numbered) if each not in self._own)

    def enforce(self, used: Iterable[Pool], now: float) -> None:
        """
        The configuration is in force.

        @param used: the pools of all its plans.
        """
        for name, wanted in (self._shared | self._own).items():
            self._pools.put(name, wanted, now)
        kept = [pool for pool in map(self._pools.get, self._shared) if pool is not None]
        self._pools.keep([*kept, *used], now)


def _told(name: str, pool: Pool) -> str:
    """
    @return: a name that no pool has that is another: by an older configuration some
        may go where a certain device is, and must not be led to another one.
    """
    return "/".join([name, *(str(each.address) for each in pool.backends)])
