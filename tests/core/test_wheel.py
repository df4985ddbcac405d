"""Tests for L{portmux.core.wheel}."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nextafter

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.wheel import Wheel
from portmux.testing import steps
from tests.core.memory import octets_kept

ticks = st.sampled_from((0.05, 0.1, 1.0, 0.001))
edges = st.builds(
    lambda count, tick: nextafter(count * tick, inf),
    st.integers(0, 6_000_000_000),
    ticks,
)
moments = st.floats(0.0, 3.0e9) | st.floats(0.0, 10.0) | edges


class WheelTests(SynchronousTestCase):
    """Each item comes due once, in time."""

    @given(moments, ticks)
    @example(6344943.123000001, 0.001)
    def test_never_early(self, deadline: float, tick: float) -> None:
        """What is due at a moment has a deadline that is not behind it."""
        wheel = Wheel[str](tick)
        wheel.put("it", deadline)
        at = wheel.next()
        assert at is not None
        self.assertGreaterEqual(at, deadline)
        self.assertEqual(wheel.due(at), ["it"])

    @given(moments, ticks)
    def test_at_most_a_tick_late(self, deadline: float, tick: float) -> None:
        """Save for the rounding of large numbers."""
        wheel = Wheel[str](tick)
        wheel.put("it", deadline)
        self.assertEqual(wheel.due(deadline + tick + 1e-6), ["it"])

    @given(st.lists(moments, max_size=30), st.lists(moments, max_size=10))
    def test_each_comes_once(
        self, deadlines: Sequence[float], asked: Sequence[float]
    ) -> None:
        """Whenever it is asked: nothing twice, and in the end nothing is left."""
        wheel = Wheel[int]()
        for item, deadline in enumerate(deadlines):
            wheel.put(item, deadline)
        found: list[int] = []
        for now in sorted(asked):
            due = wheel.due(now)
            self.assertEqual(
                [deadlines[item] <= now for item in due], [True] * len(due)
            )
            found += due
        found += wheel.due(9.0e9)
        self.assertEqual(sorted(found), list(range(len(deadlines))))
        self.assertEqual((len(wheel), wheel.next()), (0, None))

    @given(
        st.lists(
            st.tuples(st.integers(0, 5), st.none() | st.floats(0.0, 10.0)), max_size=40
        )
    )
    def test_the_last_word_counts(
        self, said: Sequence[tuple[int, float | None]]
    ) -> None:
        """Put, moved forth and back, or taken out: only the last of it counts."""
        wheel, model = Wheel[int](), dict[int, float]()
        for item, deadline in said:
            if deadline is None:
                wheel.discard(item)
                model.pop(item, None)
            else:
                wheel.put(item, deadline)
                model[item] = deadline
        self.assertEqual(len(wheel), len(model))
        due = wheel.due(5.0)
        self.assertTrue(all(model[item] <= 5.0 for item in due))
        late = {item for item, deadline in model.items() if deadline <= 5.0 - 0.06}
        self.assertLessEqual(late, set(due))
        self.assertEqual(sorted([*due, *wheel.due(11.0)]), sorted(model))

    def test_an_item_that_is_not_there(self) -> None:
        """Discarding it is no mistake: it may have come due just now."""
        wheel = Wheel[str]()
        wheel.discard("it")
        wheel.put("it", 1.0)
        wheel.due(2.0)
        wheel.discard("it")
        self.assertEqual(len(wheel), 0)

    def test_next_is_of_what_is_left(self) -> None:
        """A deadline that was taken back wakes nobody."""
        wheel = Wheel[str](tick=1.0)
        wheel.put("soon", 3.0)
        wheel.put("late", 9.0)
        self.assertEqual(wheel.next(), 3.0)
        wheel.discard("soon")
        self.assertEqual(wheel.next(), 9.0)
        wheel.discard("late")
        self.assertIsNone(wheel.next())

    def test_order_holds_while_buckets_are_given_up(self) -> None:
        """Whatever was put and taken back, the earliest of the rest comes first."""
        wheel = Wheel[int](tick=1.0)
        for item in range(2000, 0, -1):
            wheel.put(item, float(item))
            if item % 50:
                wheel.discard(item)
        found = []
        while (at := wheel.next()) is not None:
            found += wheel.due(at)
        self.assertEqual(found, list(range(50, 2001, 50)))

    def test_a_due_item_may_be_put_again(self) -> None:
        """Its next deadline is another one, even in the bucket that just came."""
        wheel = Wheel[str](tick=1.0)
        wheel.put("it", 3.0)
        self.assertEqual(wheel.due(3.0), ["it"])
        wheel.put("it", 3.0)
        self.assertEqual(wheel.due(3.0), ["it"])
        self.assertEqual(wheel.due(99.0), [])


class CostTests(SynchronousTestCase):
    """Work and memory follow the number of items."""

    def use(self, wheel: Wheel[int], count: int) -> None:
        """Thousands come; most leave or move before their time."""
        for item in range(count):
            wheel.put(item, item % 977 / 10)
            if item % 3:
                wheel.put(item, item % 1009 / 10)
            if item % 5:
                wheel.discard(item)
        while (at := wheel.next()) is not None:
            wheel.due(at)

    def test_linear(self) -> None:
        """Eight times the items are not much more than eight times the work."""
        few = steps(lambda: self.use(Wheel(), 2000))
        many = steps(lambda: self.use(Wheel(), 16000))
        self.assertLess(many, 9 * few)

    def test_memory_back_to_zero(self) -> None:
        """Nothing is kept of what came due or was taken out."""
        wheel = Wheel[int]()
        self.assertLess(octets_kept(lambda: self.use(wheel, 5000)), 20_000)

    def test_far_deadlines_of_items_long_gone(self) -> None:
        """Each of many sessions is put for a day and gone soon: nothing piles up."""
        wheel = Wheel[int]()

        def come_and_go() -> None:
            for item in range(20_000):
                wheel.put(item, 86400.0 + item)
                wheel.discard(item)

        self.assertLess(octets_kept(come_and_go), 50_000)

    def test_a_rush_that_is_over(self) -> None:
        """Thousands of deadlines that were all taken back leave no table behind."""
        wheel = Wheel[int]()

        def rush() -> None:
            for item in range(20_000):
                wheel.put(item, 10.0)
            for item in range(20_000):
                wheel.discard(item)

        self.assertLess(octets_kept(rush), 5000)
