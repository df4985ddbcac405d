"""Tests for L{portmux.control.turns}."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.turns import AT_ONCE, BRIEF, PART, SLICE, Turns
from tests.control.stage import turn


class TurnsTests(SynchronousTestCase):
    """Time passes while work is done, and when the test says so."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock.seconds)
        self.clock.rightNow = 1000.0
        self.done: list[str] = []

    def work(self, name: str, seconds: float = 0.0) -> Callable[[], None]:
        def work() -> None:
            self.done.append(name)
            self.clock.rightNow += seconds

        return work

    def take(self, name: str, seconds: float = 0.0) -> None:
        self.turns.take(self.work(name, seconds), self.clock)

    def turn(self, others: float) -> list[str]:
        """Have a turn of the reactor. @return: what is done in it."""
        before = len(self.done)
        turn(self.clock, others)
        return self.done[before:]

    def test_at_once(self) -> None:
        """Where nobody waits, nobody has to wait."""
        self.take("a")
        self.assertEqual(self.done, ["a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_used_up(self) -> None:
        """Work that comes when control had its part waits, in order."""
        for name in "abc":
            self.take(name, SLICE)
        self.assertEqual(self.done, ["a"])
        self.assertEqual(self.turn(BRIEF / 2), ["b"])
        self.assertEqual(self.turn(BRIEF / 2), ["c"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_busy_others(self) -> None:
        """While others have something to do, theirs is the larger part."""
        count = 200
        for number in range(count):
            self.take(str(number), SLICE / 2)
        turns = 0
        while len(self.done) < count:
            self.turn(2 * BRIEF)
            turns += 1
        ours, theirs = count * SLICE / 2, turns * 2 * BRIEF
        self.assertTrue(0.9 * PART < ours / theirs < 1.1 * PART, (ours, theirs))

    def test_long_work(self) -> None:
        """It is paid for afterwards; nothing is saved up in quiet times."""
        self.turn(1000)
        self.take("long", 10 * SLICE)
        self.take("next", SLICE)
        self.assertEqual(self.turn(8 * SLICE / PART), [])
        self.assertEqual(self.turn(2 * SLICE / PART), ["next"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """Work that takes no time is not done all at once, either."""

        def fill() -> None:
            for number in range(AT_ONCE * 2):
                self.take(str(number))

        self.turns.take(fill, self.clock)
        self.assertEqual(len(self.done), AT_ONCE - 1)
        self.assertEqual(len(self.turn(0)), AT_ONCE)
        self.assertEqual(len(self.turn(0)), 1)

    def test_again(self) -> None:
        """Who asks again while it waits is not called twice; its turn stays."""
        self.take("long", SLICE)
        one, other = self.work("one"), self.work("other")
        for each in (one, other, one):
            self.turns.take(each, self.clock)
        self.assertEqual(self.turn(0), ["one", "other"])

    def test_drop(self) -> None:
        """Who has gone has no turn, and nothing is left behind."""
        self.take("long", SLICE)
        one, other = self.work("one"), self.work("other")
        self.turns.take(one, self.clock)
        self.turns.take(other, self.clock)
        self.turns.drop(one)
        self.turns.drop(one)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.turns.drop(other)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.take("last")
        self.assertEqual(self.turn(0), ["last"])

    def test_time_of_the_thread(self) -> None:
        """Time in which others than us have the processor is not counted."""
        self.turns = Turns()
        self.take("a", 1000.0)
        self.take("b")
        self.assertEqual(self.done, ["a", "b"])
