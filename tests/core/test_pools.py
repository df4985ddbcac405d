"""Tests for L{portmux.core.pools}."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import Backend, Change, State
from portmux.core.plan import Closing, Forwarding
from portmux.core.pool import Pool, Settings
from portmux.core.pools import Pools
from portmux.core.strategies import Strategy

A, B, C = (Host(f"10.0.0.{last}", 80) for last in (1, 2, 3))

NOW = 1_750_000_000.0


def plan(*addresses: Host, name: str = "", timeout: float = 10.0) -> Forwarding:
    return Forwarding(Pool.of(addresses, Settings(timeout=timeout), name))


def load(
    pools: Pools,
    own: Mapping[str, Forwarding],
    shared: Mapping[str, Pool] | None = None,
    now: float = NOW,
) -> list[Pool]:
    """@return: the pools of all plans, once they are in force."""
    draft = pools.draft(shared or {})
    found = [draft.bound(given, name) for name, given in own.items()]
    used = [each.pool for each in found if isinstance(each, Forwarding)]
    draft.enforce(used, now)
    return used


class PoolsTests(SynchronousTestCase):
    def test_named_by_place(self) -> None:
        """Where an action has a pool of its own, that is its name."""
        pools = Pools()
        (pool,) = load(pools, {"front/ssh": plan(A)})
        self.assertEqual((pool.name, pool.backends[0].since), ("front/ssh", NOW))
        self.assertIs(pools.get("front/ssh"), pool)
        self.assertEqual(([*pools], len(pools)), ([pool], 1))

    def test_named_by_itself(self) -> None:
        """A tunnel's, by its socket."""
        pools = Pools()
        load(pools, {"x/forward": plan(A, name="127.0.0.1:3000")})
        self.assertIsNotNone(pools.get("127.0.0.1:3000"))

    def test_two_places_of_a_name(self) -> None:
        """A route may be called as other places are: the pools are not mixed up."""
        pools = Pools()
        draft = pools.draft({})
        plans = [draft.bound(plan(each), "a/fallback") for each in (A, B)]
        used = [each.pool for each in plans if isinstance(each, Forwarding)]
        draft.enforce(used, NOW)
        self.assertEqual([each.name for each in pools], ["a/fallback", "a/fallback-2"])

    def test_shared(self) -> None:
        """All who speak of a pool by its name have the same one."""
        pools = Pools()
        shared = {"git": Pool.of([A])}
        one, other = load(
            pools, {"a/x": plan(name="git"), "a/y": plan(name="git")}, shared
        )
        self.assertIs(one, other)
        self.assertEqual([each.address for each in one.backends], [A])
        self.assertEqual([pool.name for pool in pools], ["git"])

    def test_others_are_left_alone(self) -> None:
        plan = Closing()
        self.assertIs(Pools().draft({}).bound(plan, "a/x"), plan)

    def test_reload(self) -> None:
        """Backends that stay keep their states; others come and go; all is told."""
        pools = Pools()
        told: list[Change] = []
        pools.observers.append(told.append)
        (pool,) = load(pools, {"a/x": plan(A, B)})
        kept = pool.backends[1]
        pool.drain(kept, NOW + 1)
        (again,) = load(pools, {"a/x": plan(C, B, timeout=1.0)}, now=NOW + 2)
        self.assertIs(again, pool)
        self.assertEqual(pool.settings.timeout, 1.0)
        self.assertEqual([each.address for each in pool.backends], [C, B])
        self.assertIs(pool.backends[1], kept)
        self.assertIs(kept.state, State.DRAINING)
        self.assertEqual(
            [(each.backend.address, each.before, each.after) for each in told],
            [
                (B, State.UP, State.DRAINING),
                (A, State.UP, None),
                (C, None, State.UP),
            ],
        )

    def test_reload_of_the_same(self) -> None:
        """What was changed while it ran stays where a file says nothing new."""
        pools = Pools()
        (pool,) = load(pools, {"a/x": plan(A)})
        pool.add(B, NOW)
        pool.configure(Settings(strategy=Strategy.RANDOM))
        load(pools, {"a/x": plan(A)})
        self.assertEqual([each.address for each in pool.backends], [A, B])
        self.assertIs(pool.settings.strategy, Strategy.RANDOM)

    def test_weights(self) -> None:
        pools = Pools()
        load(pools, {}, {"git": Pool.of([A])})
        load(pools, {}, {"git": Pool.of([Backend(A, 5, 9)])})
        pool = pools.get("git")
        assert pool is not None
        self.assertEqual((pool.backends[0].weight, pool.backends[0].most), (5, 9))

    def test_not_in_force(self) -> None:
        """A draft that comes to nothing changes nothing."""
        pools = Pools()
        (pool,) = load(pools, {"a/x": plan(A)})
        draft = pools.draft({"git": Pool.of([A])})
        draft.bound(plan(B), "a/x")
        draft.bound(plan(B), "a/y")
        self.assertEqual([each.name for each in pools], ["a/x"])
        self.assertEqual([each.address for each in pool.backends], [A])

    def test_gone(self) -> None:
        """A pool that nothing uses is forgotten, unless it has a name; its sessions
        go on."""
        pools = Pools()
        shared = {"git": Pool.of([A])}
        (pool,) = load(pools, {"a/x": plan(A)}, shared)
        held = pool.acquire()
        told: list[Change] = []
        pools.observers.append(told.append)
        load(pools, {}, {"git": Pool.of([A])})
        self.assertEqual([each.name for each in pools], ["git"])
        self.assertEqual([(each.pool, each.after) for each in told], [(pool, None)])
        assert held is not None
        pool.disable(held, NOW)
        self.assertEqual(len(told), 1)
        pool.release(held)
        self.assertEqual(held.active, 0)
