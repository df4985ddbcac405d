"""Tests for L{portmux.core.errand}."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host, Unix
from portmux.core.backend import Backend, State
from portmux.core.errand import Errand
from portmux.core.health import Ejection
from portmux.core.plan import Forwarding
from portmux.core.pool import Pool, Settings
from portmux.core.strategies import Strategy
from portmux.core.waiting import Queue, Ticket
from portmux.testing import SOURCE

ADDRESSES = A, B, C = [Host(f"10.0.0.{last}", 80) for last in (1, 2, 3)]

NOW = 1_750_000_000.0


def errand(pool: Pool, **plan: Any) -> Errand:
    return Errand(Forwarding(pool, **plan), SOURCE)


def tried(errand: Errand) -> list[Host | Unix]:
    """@return: where it tried to connect, all of which failed."""
    found = []
    while isinstance(backend := errand.next(NOW), Backend):
        found.append(backend.address)
        errand.failed("connection refused", NOW)
    return found


class AttemptTests(SynchronousTestCase):
    def test_each_once(self) -> None:
        """Unless it is said how often."""
        one = errand(Pool.of([A, B]))
        self.assertEqual(tried(one), [A, B])
        self.assertEqual((one.attempts, one.failure), (2, "connect-failed"))
        self.assertEqual(
            one.why, "10.0.0.1:80: connection refused; 10.0.0.2:80: connection refused"
        )

    def test_attempts(self) -> None:
        """On others first, then again; what a plan says counts before the pool."""
        pool = Pool.of([A, B], Settings(attempts=3))
        self.assertEqual(tried(errand(pool)), [A, B, A])
        self.assertEqual(tried(errand(pool, attempts=1)), [A])
        self.assertEqual(tried(errand(pool, attempts=0)), [])

    def test_recount(self) -> None:
        """Before it waits, or is refused, it is seen whether there is room by now."""
        pool = Pool.of([Backend(A, most=1)])
        first, second = errand(pool), errand(pool)
        held = first.next(NOW)

        def recount() -> bool:
            first.let_go(NOW)
            return True

        self.assertIs(second.next(NOW, recount), held)
        third = errand(pool)
        self.assertIsNone(third.next(NOW, lambda: True))
        self.assertEqual(third.failure, "queue-full")

    def test_one_remote_four_attempts(self) -> None:
        """As plexy's C{retries=4} means it, with few errors so far."""
        pool = Pool.of([A], Settings(attempts=4, eject=Ejection(errors=9, most=9)))
        self.assertEqual(tried(errand(pool)), [A] * 4)

    def test_timeout(self) -> None:
        pool = Pool.of([A], Settings(timeout=3.0))
        self.assertEqual(errand(pool).timeout, 3.0)
        self.assertEqual(errand(pool, timeout=1.0).timeout, 1.0)

    def test_nobody(self) -> None:
        """It tells that there was nobody to try."""
        one = errand(Pool.of([], name="web"))
        self.assertIsNone(one.next(NOW))
        self.assertEqual(
            (one.failure, one.why), ("no-backend", "pool web: no backend is up")
        )

    def test_source(self) -> None:
        """Where it matters, one address goes to one backend."""
        pool = Pool.of(ADDRESSES, Settings(strategy=Strategy.SOURCE_HASH))
        found = set()
        for _ in range(5):
            one = errand(pool)
            found.add(one.next(NOW))
            one.let_go(NOW)
        self.assertEqual(len(found), 1)

    def test_counts(self) -> None:
        """A backend counts as pending until it is known, as active until the end."""
        pool = Pool.of([A, B])
        here, there = pool.backends
        one = errand(pool)
        one.next(NOW)
        self.assertEqual((here.active, here.pending), (1, 1))
        one.failed("x", NOW)
        one.next(NOW)
        self.assertEqual((here.active, here.pending, here.totals.errors), (0, 0, 1))
        one.connected(NOW)
        self.assertEqual((there.active, there.pending), (1, 0))
        self.assertEqual((there.totals.sessions, one.why), (1, ""))
        one.let_go(NOW)
        one.let_go(NOW)
        self.assertEqual((there.active, there.pending), (0, 0))


class QueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        given = Backend(A, most=1)
        self.pool = Pool.of([given], Settings(queue=Queue(1, 5.0)), "web")
        self.first = errand(self.pool)
        self.first.next(NOW)

    def waiting(self) -> Errand:
        one = errand(self.pool)
        self.assertIsInstance(one.next(NOW), Ticket)
        return one

    def test_turn(self) -> None:
        """It has waited, and that was not an attempt."""
        one = self.waiting()
        self.assertIsNone(one.turn(NOW + 1))
        self.first.let_go(NOW + 2)
        self.assertIs(one.turn(NOW + 2), self.pool.backends[0])
        self.assertEqual((one.queued, one.attempts), (2.0, 1))
        self.assertEqual(self.pool.waiting.waited.total, 2.0)
        self.assertIsNone(one.turn(NOW + 3))

    def test_full(self) -> None:
        self.waiting()
        one = errand(self.pool)
        self.assertIsNone(one.next(NOW))
        self.assertEqual(
            (one.failure, one.why), ("queue-full", "pool web: no backend has room")
        )

    def test_expired(self) -> None:
        """It is out, and the next one may come in."""
        one = self.waiting()
        one.expired(NOW + 5)
        self.assertEqual((one.queued, one.why), (5.0, "pool web: waited 5 s"))
        self.assertEqual((len(self.pool.waiting), self.pool.waiting.expired), (0, 1))
        self.waiting()

    def test_gone_between_call_and_turn(self) -> None:
        """A backend that was kept for it is free again."""
        one = self.waiting()
        self.first.let_go(NOW)
        one.let_go(NOW)
        self.assertEqual(self.pool.backends[0].active, 0)


EVENTS = st.sampled_from(
    [
        "open",
        "turn",
        "connect",
        "fail",
        "close",
        "kill",
        "add",
        "remove",
        "enable",
        "disable",
        "drain",
        "check",
    ]
)


class ConservationTests(SynchronousTestCase):
    """Whatever comes in whatever order, every session is counted exactly once."""

    @given(
        st.lists(st.tuples(EVENTS, st.integers(0, 11)), max_size=120),
        st.sampled_from(Strategy),
        st.sampled_from([None, 1, 2]),
        st.sampled_from([None, Ejection(), Ejection(errors=2, most=9)]),
        st.sampled_from([None, 60.0]),
    )
    def test_conserved(
        self,
        events: list[tuple[str, int]],
        strategy: Strategy,
        most: int | None,
        eject: Ejection | None,
        sticky: float | None,
    ) -> None:
        settings = Settings(strategy, 1.0, 3, eject, 30.0, sticky, Queue(3, 5.0))
        pool = Pool.of([Backend(A, most=most), Backend(B, 2, most)], settings)
        world = World(pool, most)
        for what, which in events:
            world.happen(what, which)
            self.assertEqual(world.counted(), world.expected())
            self.assertLessEqual(len(pool.waiting), 3)
            if eject is None or eject.most is None:
                self.assertTrue(world.never_all_ejected())
        for one in [*world.live]:
            world.close(one)
        self.assertEqual(world.counted(), (0, 0, 0))
        totals = [backend.totals for backend in world.known]
        self.assertEqual(sum(each.sessions for each in totals), world.connects)


class World:
    """
    Sessions, a pool, and those who change it.

    @ivar known: every backend that there ever was.
    """

    def __init__(self, pool: Pool, most: int | None) -> None:
        self.pool, self.most = pool, most
        self.live: list[Errand] = []
        self.known = [*pool.backends]
        self.connects = 0
        self.now = NOW

    def happen(self, what: str, which: int) -> None:
        self.now += which
        if what == "open":
            source = Host(f"192.0.2.{which}", 1)
            self.live.append(Errand(Forwarding(self.pool), source))
            self.go_on(self.live[-1])
        elif what in ("add", "remove", "enable", "disable", "drain", "check"):
            self.operate(what, which)
        elif self.live:
            self.advance(what, self.live[which % len(self.live)])

    def go_on(self, one: Errand) -> None:
        if one.next(self.now) is None:
            self.close(one)

    def advance(self, what: str, one: Errand) -> None:
        pending = one.backend is not None and one in self.connecting()
        if what == "turn":
            one.turn(self.now)
        elif what == "connect" and pending:
            self.connects += 1
            one.connected(self.now)
        elif what == "fail" and pending:
            one.failed("x", self.now)
            self.go_on(one)
        elif what == "close":
            self.close(one)
        elif what == "kill":
            for each in [*self.live]:
                if each.backend is one.backend:
                    self.close(each)

    def operate(self, what: str, which: int) -> None:
        backend = self.pool.find(ADDRESSES[which % 3])
        if backend is None:
            if what == "add":
                address = ADDRESSES[which % 3]
                self.known.append(self.pool.add(address, self.now, most=self.most))
        elif what == "remove":
            self.pool.remove(backend, self.now)
        elif what == "enable":
            self.pool.enable(backend, self.now)
        elif what == "disable":
            self.pool.disable(backend, self.now)
        elif what == "drain":
            self.pool.drain(backend, self.now)
        elif what == "check":
            self.pool.checked(backend, "x" if which < 6 else None, self.now)

    def close(self, one: Errand) -> None:
        one.let_go(self.now)
        self.live.remove(one)

    def connecting(self) -> list[Errand]:
        return [one for one in self.live if one._pending]

    def waiting(self) -> list[Ticket]:
        return [one._ticket for one in self.live if one._ticket is not None]

    def counted(self) -> tuple[int, int, int]:
        """@return: what backends and the queue say that they have."""
        assert all(each.active >= 0 and each.pending >= 0 for each in self.known)
        return (
            sum(backend.active for backend in self.known),
            sum(backend.pending for backend in self.known),
            len(self.pool.waiting),
        )

    def expected(self) -> tuple[int, int, int]:
        called = sum(ticket.backend is not None for ticket in self.waiting())
        held = sum(one.backend is not None for one in self.live)
        return held + called, len(self.connecting()), len(self.waiting()) - called

    def never_all_ejected(self) -> bool:
        """Somebody can have a session unless an operator forbids it."""
        states = {backend.state for backend in self.pool.backends}
        return (
            not states
            or states <= {State.DISABLED, State.DRAINING}
            or (bool(self.pool.is_crowded()))
        )
