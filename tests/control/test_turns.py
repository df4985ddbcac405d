"""Tests for L{portmux.control.turns}."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import process_time, thread_time

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.turns import (
    AT_ONCE,
    BRIEF,
    IDLE,
    LONGEST,
    PART,
    PAUSE,
    REST,
    SLICE,
    SLICES,
    Turns,
)
from tests.control.stage import turn


class TurnsTests(SynchronousTestCase):
    """
    Time passes when the test says so.

    @ivar used: seconds of the processor, by the work and by others.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.used = 1000.0
        self.turns = Turns(lambda: self.used)
        self.done: list[str] = []

    def work(self, name: str, seconds: float = 0.0) -> Callable[[], None]:
        def work() -> None:
            self.done.append(name)
            self.used += seconds

        return work

    def take(self, name: str, seconds: float = 0.0) -> None:
        self.turns.take(self.work(name, seconds), self.clock)

    def turn(self, others: float) -> list[str]:
        """Have others use so much, then a turn. @return: what is done in it."""
        before = len(self.done)
        self.used += others
        turn(self.clock)
        return self.done[before:]

    def pause(self) -> float:
        """@return: seconds until the next turn."""
        (call,) = self.clock.getDelayedCalls()
        return call.getTime() - self.clock.seconds()

    def test_at_once(self) -> None:
        """Where nobody waits, nobody has to wait."""
        self.take("a")
        self.assertEqual(self.done, ["a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_used_up(self) -> None:
        """Work that comes when control had its part waits, in order, and no longer
        than until it is known that others have nothing to do."""
        for name in "abc":
            self.take(name, SLICE)
        self.assertEqual((self.done, self.pause()), (["a"], PAUSE))
        self.assertEqual(self.turn(IDLE / 2), ["b"])
        self.assertEqual(self.pause(), 0)
        self.assertEqual(self.turn(BRIEF / 2), ["c"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_gaps(self) -> None:
        """A busy moment is enough; that others have a short rest is not."""
        for name in "abcd":
            self.take(name, 2 * SLICE)
        self.assertEqual(self.turn(IDLE / 2), ["b"])
        self.assertEqual(self.turn(2 * BRIEF), [])
        self.assertEqual(self.pause(), PAUSE)
        self.assertEqual(self.turn(2 * IDLE), [])
        self.assertEqual(self.pause(), PAUSE)
        self.assertEqual(self.turn(IDLE / 2), ["c"])

    def test_look_again(self) -> None:
        """Others may have come meanwhile: it is looked at a pause after some slices."""
        for number in range(2 * SLICES):
            self.take(str(number), SLICE)
        pauses = []
        while self.clock.getDelayedCalls():
            pauses.append(self.pause())
            self.turn(BRIEF / 2)
        once = [PAUSE, *[0] * (SLICES - 1)]
        self.assertEqual(pauses, (once * 2)[: 2 * SLICES - 1])
        self.assertEqual(len(self.done), 2 * SLICES)

    def test_busy_others(self) -> None:
        """While others have something to do, theirs is the larger part."""
        count = 200
        for number in range(count):
            self.take(str(number), SLICE / 2)
        turns = 0
        while len(self.done) < count:
            self.turn(2 * IDLE)
            turns += 1
        ours, theirs = count * SLICE / 2, turns * 2 * IDLE
        self.assertTrue(0.9 * PART < ours / theirs < 1.1 * PART, (ours, theirs))

    def test_half_busy_others(self) -> None:
        """Of what they leave, control has a larger part."""
        count = 200
        for number in range(count):
            self.take(str(number), SLICE / 2)
        begun = self.clock.seconds()
        while len(self.done) < count:
            self.clock.rightNow += PAUSE
            self.turn(PAUSE / 2)
        ours, all_of_it = count * SLICE / 2, self.clock.seconds() - begun
        part = (PART + REST) / 2
        self.assertTrue(0.9 * part < ours / all_of_it < 1.1 * part, (ours, all_of_it))

    def test_long_work(self) -> None:
        """It is paid for afterwards; nothing is saved up in quiet times."""
        self.used += 1000
        self.take("long", 10 * SLICE)
        self.take("next", SLICE)
        self.assertEqual(self.turn(8 * SLICE / PART), [])
        self.assertEqual(self.turn(2 * SLICE / PART), ["next"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_very_long_work(self) -> None:
        """What follows is not made to wait for as long as would be fair."""
        self.used += 1000
        self.take("very long", 10 * PART * LONGEST)
        self.take("next", SLICE)
        self.assertEqual(self.turn(0.99 * LONGEST), [])
        self.assertEqual(self.turn(0.02 * LONGEST), ["next"])

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

    def test_what_counts(self) -> None:
        """Time of other programs does not, and of other threads if they share one
        processor with this one."""
        many = {0, 1}
        for processors, counted in ((many, thread_time), ({0}, process_time)):
            self.patch(os, "sched_getaffinity", lambda pid, all=processors: all)
            self.assertIs(Turns()._seconds, counted)
