"""Tests for L{portmux.core.pool}."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import Backend, Change, State
from portmux.core.health import Ejection
from portmux.core.pool import Pool, Settings
from portmux.core.strategies import Strategy
from portmux.core.waiting import Queue
from portmux.errors import PoolError

A, B, C = (Host(f"10.0.0.{last}", 80) for last in (1, 2, 3))

NOW = 1_750_000_000.0


def pool_of(*addresses: Host, **settings: Any) -> Pool:
    return Pool.of(addresses, Settings(**settings), "web")


def taken(pool: Pool, *tried: Backend, **how: Any) -> Backend:
    """@return: a backend that the pool had to give."""
    backend = pool.acquire(tried, **how)
    assert backend is not None
    return backend


def changes(pool: Pool) -> list[Change]:
    """@return: gets what the pool tells from now on."""
    told: list[Change] = []
    pool.observers.append(told.append)
    return told


def states(pool: Pool) -> list[State]:
    return [backend.state for backend in pool.backends]


class PoolTests(SynchronousTestCase):
    """The choice between backends, and their counts."""

    def test_first_available(self) -> None:
        """The first in the list gets all, however many it has."""
        pool = Pool.of([A, B])
        self.assertEqual([taken(pool).address for _ in range(3)], [A] * 3)
        self.assertEqual([backend.active for backend in pool.backends], [3, 0])

    def test_strategy(self) -> None:
        """Others get what theirs says, and not what was tried."""
        pool = pool_of(A, B, C, strategy=Strategy.ROUND_ROBIN)
        found = [taken(pool) for _ in range(4)]
        self.assertEqual([each.address for each in found], [A, B, C, A])
        self.assertEqual(taken(pool, *found[:2]).address, C)

    def test_what_was_tried_is_passed_over(self) -> None:
        """Until nothing is left; which takes nothing."""
        pool = Pool.of([A, B])
        first = taken(pool)
        second = taken(pool, first)
        self.assertEqual((first.address, second.address), (A, B))
        self.assertIsNone(pool.acquire((first, second)))
        self.assertEqual([backend.active for backend in pool.backends], [1, 1])

    def test_an_address_listed_twice(self) -> None:
        """It is one backend."""
        pool = Pool.of([A, B, A])
        self.assertEqual([each.address for each in pool.backends], [A, B])

    def test_an_empty_pool(self) -> None:
        pool = Pool.of([])
        self.assertIsNone(pool.acquire())
        self.assertFalse(pool.is_crowded())

    @given(st.lists(st.integers(0, 2), max_size=50))
    def test_counts(self, events: Sequence[int]) -> None:
        """In whatever order backends are taken and given back: zero in the end."""
        pool, held = Pool.of([A, B]), list[Backend]()
        for event in events:
            if event == 0 and held:
                pool.release(held.pop(0))
            elif backend := pool.acquire(held[-1:] if event == 1 else ()):
                held.append(backend)
            self.assertEqual(
                sum(backend.active for backend in pool.backends), len(held)
            )
        for backend in held:
            pool.release(backend)
        self.assertEqual([backend.active for backend in pool.backends], [0, 0])


class EjectionTests(SynchronousTestCase):
    def test_errors_in_a_row(self) -> None:
        """So many eject, and a success in between begins anew."""
        pool = pool_of(A, B, eject=Ejection(errors=2))
        one, _ = pool.backends
        pool.failed(one, "connection refused", NOW)
        pool.connected(one, NOW)
        pool.failed(one, "connection refused", NOW)
        self.assertIs(one.state, State.UP)
        pool.failed(one, "no route to host", NOW + 3)
        self.assertIs(one.state, State.EJECTED)
        self.assertEqual((one.reason, one.since), ("no route to host", NOW + 3))
        self.assertEqual((one.totals.errors, one.totals.ejections), (3, 1))
        self.assertEqual(taken(pool).address, B)

    def test_without_ejection(self) -> None:
        """A backend is tried for every session."""
        pool = pool_of(A, B)
        for _ in range(9):
            pool.failed(pool.backends[0], "x", NOW)
        self.assertEqual(states(pool), [State.UP, State.UP])

    def test_never_all(self) -> None:
        """The last one stays."""
        pool = pool_of(A, B, C, eject=Ejection())
        for backend in pool.backends:
            pool.failed(backend, "x", NOW)
        self.assertEqual(states(pool), [State.EJECTED, State.EJECTED, State.UP])

    def test_most(self) -> None:
        """No more than are allowed; all, if that is allowed."""
        pool = pool_of(A, B, C, eject=Ejection(most=1))
        for backend in pool.backends:
            pool.failed(backend, "x", NOW)
        self.assertEqual(states(pool), [State.EJECTED, State.UP, State.UP])
        pool = pool_of(A, eject=Ejection(most=9))
        pool.failed(pool.backends[0], "x", NOW)
        self.assertEqual(states(pool), [State.EJECTED])
        self.assertIsNone(pool.acquire())

    def test_only_ejected_ones_are_left(self) -> None:
        """An operator takes the last one that is up: better these than none."""
        pool = pool_of(A, B, eject=Ejection())
        one, other = pool.backends
        pool.failed(one, "x", NOW)
        pool.drain(other, NOW)
        self.assertIs(taken(pool), one)
        pool.enable(other, NOW)
        self.assertIs(taken(pool), other)

    def test_check(self) -> None:
        """A success brings the backend back; a failure postpones the next check."""
        pool = pool_of(A, B, eject=Ejection(recheck=10.0))
        one, _ = pool.backends
        pool.failed(one, "x", NOW)
        self.assertEqual(one.health.recheck_at, NOW + 10)
        pool.checked(one, "timeout", NOW + 10)
        self.assertEqual(one.health.recheck_at, NOW + 20)
        self.assertEqual((one.totals.errors, one.health.errors), (2, 2))
        pool.checked(one, None, NOW + 20)
        self.assertIs(one.state, State.UP)
        self.assertEqual((one.reason, one.since), ("can be connected to", NOW + 20))
        self.assertEqual(one.health.errors, 0)

    def test_late_check(self) -> None:
        """Its outcome means nothing for a backend that is enabled again, or off."""
        pool = pool_of(A, B, eject=Ejection())
        one, _ = pool.backends
        pool.failed(one, "x", NOW)
        pool.enable(one, NOW)
        pool.checked(one, "x", NOW)
        self.assertIs(one.state, State.UP)
        pool.failed(one, "x", NOW)
        pool.disable(one, NOW)
        pool.checked(one, None, NOW)
        self.assertIs(one.state, State.DISABLED)

    def test_a_late_session(self) -> None:
        """An attempt from before the ejection that succeeds brings it back, too."""
        pool = pool_of(A, B, eject=Ejection())
        one, _ = pool.backends
        pool.failed(one, "x", NOW)
        pool.connected(one, NOW + 1)
        self.assertEqual(states(pool), [State.UP, State.UP])

    def test_slow_start(self) -> None:
        """Who comes back gets fewer sessions at first; who was there does not."""
        pool = pool_of(
            A,
            B,
            eject=Ejection(),
            slow_start=100.0,
            strategy=Strategy.ROUND_ROBIN,
        )
        one, other = pool.backends
        self.assertEqual((one.share(NOW), other.share(NOW)), (1, 1))
        pool.failed(one, "x", NOW)
        pool.checked(one, None, NOW)
        found = [taken(pool, now=NOW) for _ in range(11)]
        self.assertEqual(found.count(one), 1)
        found = [taken(pool, now=NOW + 100) for _ in range(10)]
        self.assertEqual(found.count(one), 5)


class OperatorTests(SynchronousTestCase):
    def test_states(self) -> None:
        """Each with its reason, and since when; each is told once."""
        pool = pool_of(A, B)
        told = changes(pool)
        one, _ = pool.backends
        pool.drain(one, NOW, "for an upgrade")
        self.assertEqual((one.reason, one.since), ("for an upgrade", NOW))
        pool.drain(one, NOW + 1)
        pool.disable(one, NOW + 2)
        pool.enable(one, NOW + 3)
        self.assertEqual(
            [(each.before, each.after, each.reason, each.time) for each in told],
            [
                (State.UP, State.DRAINING, "for an upgrade", NOW),
                (State.DRAINING, State.DISABLED, "disabled", NOW + 2),
                (State.DISABLED, State.UP, "enabled", NOW + 3),
            ],
        )

    def test_who_has_it_keeps_it(self) -> None:
        """Draining and disabled backends get nobody new."""
        for change in (Pool.drain, Pool.disable):
            pool = pool_of(A, B)
            one = taken(pool)
            change(pool, one, NOW)
            self.assertEqual(one.active, 1)
            self.assertEqual(taken(pool).address, B)
            pool.release(one)
            self.assertEqual(one.active, 0)

    def test_who_would_keep_it_for_ever_is_told(self) -> None:
        """Not when it comes back, nor of what chance did to it."""
        pool = pool_of(A, B)
        told: list[Backend] = []
        pool.withdrawn.append(told.append)
        one, two = pool.backends
        pool.failed(one, "connection refused", NOW)
        self.assertEqual(told, [])
        pool.drain(one, NOW)
        pool.enable(one, NOW)
        pool.disable(two, NOW)
        pool.remove(one, NOW)
        self.assertEqual(told, [one, two, one])

    def test_add(self) -> None:
        """It gets sessions at once, and is told."""
        pool = pool_of(slow_start=10.0)
        told = changes(pool)
        backend = pool.add(A, NOW, weight=4)
        self.assertIs(taken(pool), backend)
        self.assertIs(pool.find(A), backend)
        self.assertEqual(backend.share(NOW + 5), 2.0)
        self.assertEqual(
            [(each.before, each.after) for each in told], [(None, State.UP)]
        )
        error = self.assertRaises(PoolError, pool.add, A, NOW)
        self.assertEqual(str(error), "10.0.0.1:80 is in the pool web already")

    def test_remove(self) -> None:
        """Sessions keep it; the same address may come back, as another backend."""
        pool = pool_of(A, B)
        told = changes(pool)
        one = taken(pool)
        pool.remove(one, NOW)
        self.assertIsNone(pool.find(A))
        self.assertEqual(
            [(each.before, each.after) for each in told], [(State.UP, None)]
        )
        pool.remove(one, NOW)
        self.assertEqual(len(told), 1)
        again = pool.add(A, NOW)
        pool.release(one)
        self.assertEqual((one.active, again.active), (0, 0))

    def test_reweigh(self) -> None:
        pool = pool_of(A, B, strategy=Strategy.ROUND_ROBIN)
        one, other = pool.backends
        pool.reweigh(other, 3)
        found = [taken(pool) for _ in range(8)]
        self.assertEqual((found.count(one), found.count(other)), (2, 6))

    def test_configure(self) -> None:
        """It works so from the next session on."""
        pool = pool_of(A, B)
        pool.configure(Settings(strategy=Strategy.ROUND_ROBIN))
        self.assertEqual([taken(pool).address for _ in range(3)], [A, B, A])

    def test_least_requests_begins_anew(self) -> None:
        """Who is new does not get all that the others have had."""
        pool = pool_of(A, B, strategy=Strategy.LEAST_REQUESTS)
        for _ in range(10):
            pool.release(taken(pool))
        pool.add(C, NOW)
        found = [taken(pool).address for _ in range(6)]
        self.assertEqual(sorted(map(str, found)), sorted(map(str, [A, B, C] * 2)))


class StickyTests(SynchronousTestCase):
    def pool(self) -> Pool:
        return pool_of(A, B, C, strategy=Strategy.ROUND_ROBIN, sticky=60.0)

    def test_a_source_comes_back(self) -> None:
        """For a time that begins anew with each session."""
        pool = self.pool()
        first = taken(pool, source="x", now=NOW)
        for now in (NOW + 50, NOW + 100, NOW + 150):
            self.assertIs(taken(pool, source="x", now=now), first)
        self.assertIsNot(taken(pool, source="x", now=NOW + 210), first)

    def test_others(self) -> None:
        """They are given out as the strategy says, and so is who has no source."""
        pool = self.pool()
        found = [taken(pool, source=source, now=NOW).address for source in "xyzx"]
        self.assertEqual(found, [A, B, C, A])
        self.assertEqual([taken(pool, now=NOW).address for _ in "12"], [A, B])

    def test_draining(self) -> None:
        """Who sticks to it may come until it forgets; disabled it is for nobody."""
        pool = self.pool()
        first = taken(pool, source="x", now=NOW)
        pool.drain(first, NOW)
        self.assertIs(taken(pool, source="x", now=NOW), first)
        self.assertIsNot(taken(pool, source="y", now=NOW), first)
        pool.disable(first, NOW)
        self.assertIsNot(taken(pool, source="x", now=NOW), first)

    def test_not_there(self) -> None:
        """What is gone, ejected, full or was tried is no reason to fail."""
        for leave in (
            lambda pool, backend: pool.remove(backend, NOW),
            lambda pool, backend: backend.health.eject(Ejection(), NOW),
            lambda pool, backend: pool.bound(backend, 1),
        ):
            pool = self.pool()
            first = taken(pool, source="x", now=NOW)
            leave(pool, first)
            self.assertIsNot(taken(pool, source="x", now=NOW), first)
        pool = self.pool()
        first = taken(pool, source="x", now=NOW)
        second = taken(pool, first, source="x", now=NOW)
        self.assertIsNot(second, first)
        self.assertIs(taken(pool, source="x", now=NOW), second)


class QueueTests(SynchronousTestCase):
    def full(self, length: int = 2, *addresses: Host) -> Pool:
        """@return: a pool whose backends have the one session that they may have."""
        queue = Queue(length, 5.0)
        given = [Backend(address, most=1) for address in addresses or (A,)]
        pool = Pool.of(given, Settings(queue=queue), "web")
        for _ in given:
            taken(pool)
        self.assertIsNone(pool.acquire())
        return pool

    def test_crowded(self) -> None:
        """No room is not the same as nobody there."""
        pool = self.full()
        one = pool.backends[0]
        self.assertTrue(pool.is_crowded())
        self.assertFalse(pool.is_crowded((one,)))
        pool.disable(one, NOW)
        self.assertFalse(pool.is_crowded())

    def test_in_order(self) -> None:
        """Who came first is called first, and holds the backend by then."""
        pool, called = self.full(), list[str]()
        first, second = pool.enqueue(()), pool.enqueue(())
        assert first is not None and second is not None
        first.call = lambda: called.append("first")
        second.call = lambda: called.append("second")
        one = pool.backends[0]
        pool.release(one)
        self.assertEqual((called, first.backend, one.active), (["first"], one, 1))
        pool.release(one)
        self.assertEqual((called, second.backend), (["first", "second"], one))
        pool.release(one)
        self.assertEqual((one.active, len(pool.waiting)), (0, 0))

    def test_length(self) -> None:
        """It has an end, and who finds it full is counted."""
        pool = self.full(1)
        self.assertIsNotNone(pool.enqueue(()))
        self.assertIsNone(pool.enqueue(()))
        self.assertEqual((pool.queued, pool.waiting.refused), (1, 1))

    def test_leave(self) -> None:
        """Whoever leaves loses no backend: what he was given goes to the next one."""
        pool = self.full(3)
        tickets = [pool.enqueue(()) for _ in range(3)]
        first, second, third = tickets
        assert first is not None and second is not None and third is not None
        one = pool.backends[0]
        pool.leave(second)
        self.assertEqual(len(pool.waiting), 2)
        pool.release(one)
        pool.leave(first)
        self.assertIs(third.backend, one)
        pool.leave(third)
        pool.leave(third)
        self.assertEqual((one.active, len(pool.waiting)), (0, 0))

    def test_not_what_was_tried(self) -> None:
        """The next one who can use it is called."""
        pool = self.full(2, A, B)
        one, other = pool.backends
        picky, easy = pool.enqueue((one,)), pool.enqueue(())
        assert picky is not None and easy is not None
        pool.release(one)
        self.assertIs(easy.backend, one)
        pool.release(other)
        self.assertIs(picky.backend, other)

    def test_more_room(self) -> None:
        """A backend is added, is back, or may have more: the queue moves on."""
        for more in (
            lambda pool: pool.add(C, NOW),
            lambda pool: pool.bound(pool.backends[0], 2),
            lambda pool: pool.enable(pool.backends[1], NOW),
        ):
            pool = self.full(2, A, B)
            pool.release(pool.backends[1])
            pool.disable(pool.backends[1], NOW)
            ticket = pool.enqueue(())
            assert ticket is not None
            more(pool)
            self.assertIsNotNone(ticket.backend)

    def test_nobody_is_given_what_is_not_up(self) -> None:
        pool = self.full()
        one = pool.backends[0]
        ticket = pool.enqueue(())
        assert ticket is not None
        pool.drain(one, NOW)
        pool.release(one)
        self.assertEqual((ticket.backend, one.active), (None, 0))
        pool.enable(one, NOW)
        self.assertEqual((ticket.backend, one.active), (one, 1))
