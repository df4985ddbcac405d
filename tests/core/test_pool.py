"""Tests for L{portmux.core.pool}."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import Backend
from portmux.core.pool import Pool
from portmux.errors import NoBackend

A, B = Host("10.0.0.1", 80), Host("10.0.0.2", 80)


class PoolTests(SynchronousTestCase):
    """The choice between backends, and their counts."""

    def test_first_available(self) -> None:
        """The first in the list gets all, however many it has."""
        pool = Pool.of([A, B])
        found = [pool.acquire() for _ in range(3)]
        self.assertEqual([backend and backend.address for backend in found], [A] * 3)
        self.assertEqual([backend.active for backend in pool.backends], [3, 0])

    def test_what_was_tried_is_passed_over(self) -> None:
        """Until nothing is left; which takes nothing."""
        pool = Pool.of([A, B])
        first = pool.acquire()
        assert first is not None
        second = pool.acquire((first,))
        assert second is not None
        self.assertEqual((first.address, second.address), (A, B))
        self.assertIsNone(pool.acquire((first, second)))
        self.assertEqual([backend.active for backend in pool.backends], [1, 1])

    def test_an_address_listed_twice(self) -> None:
        """It is one backend."""
        pool = Pool.of([A, B, A])
        self.assertEqual([each.address for each in pool.backends], [A, B])

    def test_an_empty_pool(self) -> None:
        self.assertIsNone(Pool.of([]).acquire())

    def test_lease(self) -> None:
        """The backend is held inside the block and given back behind it."""
        pool = Pool.of([A])
        with pool.lease() as backend:
            self.assertEqual((backend.address, backend.active), (A, 1))
        self.assertEqual(backend.active, 0)

    def test_lease_and_an_error(self) -> None:
        """Whatever ends the block."""
        pool = Pool.of([A])

        def fail() -> None:
            with pool.lease():
                raise KeyError

        self.assertRaises(KeyError, fail)
        self.assertEqual(pool.backends[0].active, 0)

    def test_nothing_to_lease(self) -> None:
        """It is told, and nothing is taken."""
        pool = Pool.of([A])

        def lease() -> None:
            with pool.lease(pool.backends):
                self.fail("there is no backend")

        self.assertRaises(NoBackend, lease)
        self.assertEqual(pool.backends[0].active, 0)

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
