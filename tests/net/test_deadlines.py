"""Tests for L{portmux.net.deadlines}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.net.deadlines import SORTING, Deadlines

TICK = 0.06
"""Seconds by which something may be late, and a little."""


class Item:
    """Something with a deadline."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.expired: list[float] = []

    def expire(self) -> None:
        self.expired.append(self._clock.seconds())


class DeadlinesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.deadlines = Deadlines(self.clock)

    def items(self, *deadlines: float) -> list[Item]:
        made = [Item(self.clock) for _ in deadlines]
        for item, deadline in zip(made, deadlines, strict=True):
            self.deadlines.put(item, deadline)
        return made

    def test_never_early(self) -> None:
        """Each when its time has come, and once."""
        early, late = self.items(1001.0, 1002.0)
        self.clock.advance(0.99)
        self.assertEqual(early.expired, [])
        self.clock.advance(TICK)
        self.assertEqual(len(early.expired), 1)
        self.assertEqual(late.expired, [])
        self.clock.advance(10.0)
        self.assertEqual((len(early.expired), len(late.expired)), (1, 1))

    def test_earlier_than_what_is_waited_for(self) -> None:
        """The timer moves forward."""
        late, early = self.items(1100.0, 1001.0)
        self.clock.advance(1.0 + TICK)
        self.assertEqual((len(early.expired), len(late.expired)), (1, 0))

    def test_overdue(self) -> None:
        """What should have happened happens soon."""
        (item,) = self.items(999.0)
        self.clock.advance(TICK)
        self.assertEqual(len(item.expired), 1)

    def test_put_off(self) -> None:
        """The later word counts."""
        (item,) = self.items(1001.0)
        self.deadlines.put(item, 1005.0)
        self.clock.advance(4.9)
        self.assertEqual(item.expired, [])
        self.clock.advance(0.1 + TICK)
        self.assertEqual(len(item.expired), 1)

    def test_far_then_near(self) -> None:
        """A deadline that moves forward is met, whatever was noted before."""
        (item,) = self.items(1100.0)
        self.deadlines.put(item, 1000.5)
        self.clock.advance(0.5 + TICK)
        self.assertEqual(len(item.expired), 1)
        self.clock.advance(200.0)
        self.assertEqual(len(item.expired), 1)

    def test_near_then_far(self) -> None:
        """One that moves back is met then; an earlier call may come in between."""
        (item,) = self.items(1000.5)
        self.deadlines.put(item, 1100.0)
        self.clock.pump([0.05] * 1999)
        self.assertLessEqual(len(item.expired), 1)
        before = len(item.expired)
        self.clock.pump([0.05] * 4)
        self.assertEqual(len(item.expired), before + 1)

    def test_discard(self) -> None:
        """Nothing is called; the others are."""
        gone, left = self.items(1001.0, 1003.0)
        self.deadlines.discard(gone)
        self.deadlines.discard(gone)
        self.clock.advance(3.0 + TICK)
        self.assertEqual((gone.expired, len(left.expired)), ([], 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_timer(self) -> None:
        """Thousands of deadlines are one call of the reactor's, or two."""
        made = self.items(*(1001.0 + number / 100 for number in range(5000)))
        self.assertLessEqual(len(self.clock.getDelayedCalls()), 2)
        self.clock.advance(SORTING)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.pump([0.05] * 1200)
        self.assertTrue(all(len(item.expired) == 1 for item in made))
        for number, item in enumerate(made):
            self.assertLess(item.expired[0] - (1001.0 + number / 100), 2 * TICK)
            self.assertGreaterEqual(item.expired[0], 1001.0 + number / 100)

    def test_put_while_expiring(self) -> None:
        """Whoever expires may set itself another deadline."""
        deadlines, clock, calls = self.deadlines, self.clock, []

        class Again:
            def expire(self) -> None:
                calls.append(clock.seconds())
                deadlines.put(self, clock.seconds() + 1.0)

        deadlines.put(Again(), 1001.0)
        clock.pump([0.5] * 7)
        self.assertEqual(len(calls), 3)
        deadlines.stop()

    def test_discard_while_expiring(self) -> None:
        """The end of one connection may be the end of another."""
        deadlines, other = self.deadlines, Item(self.clock)

        class First:
            def expire(self) -> None:
                deadlines.discard(other)

        deadlines.put(First(), 1001.0)
        deadlines.put(other, 1002.0)
        self.clock.pump([1.0, 1.0, 1.0])
        self.assertEqual(other.expired, [])

    def test_stop(self) -> None:
        """Nothing is left."""
        (item,) = self.items(1001.0)
        self.deadlines.stop()
        self.deadlines.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.items(1002.0)
        self.clock.advance(10.0)
        self.assertEqual(item.expired, [])
