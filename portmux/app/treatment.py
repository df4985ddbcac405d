"""Have backends be treated as operators want, whatever configurations say."""

from __future__ import annotations

from portmux.config.changes import Changes, Treatment
from portmux.core.backend import Backend, State
from portmux.core.pool import Pool
from portmux.core.pools import Pools

_USUAL = Treatment()


def apply(pools: Pools, before: Changes, after: Changes, now: float) -> None:
    """
    To be called whenever pools may have been made anew, or changes are others.

    @param before: changes that may be in force.
    """
    for name in {**before.backends, **after.backends}:
        pool = pools.get(name)
        if pool is None:
            continue
        old, new = before.backends.get(name, {}), after.backends.get(name, {})
        known = {str(backend.address): backend for backend in pool.backends}
        for address in {**old, **new}:
            if address in known:
                wanted = new.get(address, _USUAL)
                weight = pools.weight(name, known[address].address)
                _treat(pool, known[address], wanted, weight, now)


def _treat(
    pool: Pool, backend: Backend, wanted: Treatment, weight: int, now: float
) -> None:
    state = State(wanted.state or "up")
    if backend.wanted is not state:
        if state is State.UP:
            pool.enable(backend, now)
        elif state is State.DRAINING:
            pool.drain(backend, now)
        else:
            pool.disable(backend, now)
    if backend.weight != (wanted.weight or weight):
        pool.reweigh(backend, wanted.weight or weight)
