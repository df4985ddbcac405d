"""Tests for L{portmux.core.mux.waiting}."""

from __future__ import annotations

from weakref import ref

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame
from portmux.core.mux.asker import Request, Stage
from portmux.core.mux.waiting import Waiting
from tests.core.mux.test_asker import asker


def request(order: int, arrived: float) -> Request:
    return Request(asker(), Frame(b"a\n"), order, arrived)


class WaitingTests(SynchronousTestCase):
    def test_turns_decide(self) -> None:
        waiting = Waiting()
        first, second = request(1, 0.0), request(2, 1.0)
        waiting.call(first, 7)
        waiting.call(second, 3)
        self.assertEqual(waiting.called, 2)
        self.assertIs(waiting.take(), second)
        self.assertIs(second.stage, Stage.SENT)
        self.assertIs(waiting.take(), first)
        self.assertIsNone(waiting.take())

    def test_who_had_a_turn_is_let_go(self) -> None:
        """Though others wait all the time."""
        waiting = Waiting()
        for order in range(3):
            waiting.call(request(order, float(order)), order)
        taken = waiting.take()
        assert taken is not None
        there = ref(taken)
        del taken
        self.assertIsNone(there())

    def test_who_left_is_passed_over(self) -> None:
        waiting = Waiting()
        first, second = request(1, 0.0), request(2, 1.0)
        waiting.call(first, 1)
        waiting.call(second, 2)
        waiting.leave(first, Stage.OVER)
        self.assertIs(waiting.oldest(), second)
        self.assertIs(waiting.take(), second)
        self.assertEqual(waiting.called, 0)

    def test_the_oldest_is_told_by_its_arrival(self) -> None:
        """Not by when it was called: it may have stood behind another."""
        waiting = Waiting()
        late, early = request(1, 5.0), request(2, 1.0)
        waiting.call(late, 1)
        waiting.call(early, 2)
        self.assertIs(waiting.oldest(), early)
        self.assertEqual(waiting.latest, 5.0)

    def test_what_waits_again_is_there_once(self) -> None:
        waiting = Waiting()
        one, other = request(1, 0.0), request(2, 0.0)
        waiting.call(one, 1)
        waiting.call(other, 2)
        self.assertIs(waiting.take(), one)
        one.stage = Stage.WAITING
        waiting.call(one, -1)
        self.assertEqual(
            [waiting.take(), waiting.take(), waiting.take()], [one, other, None]
        )
