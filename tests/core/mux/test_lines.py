"""Tests for L{portmux.core.mux.lines}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame
from portmux.core.mux.asker import Asker, Request, Stage
from portmux.core.mux.lines import Lines
from portmux.core.mux.settings import Settings
from portmux.core.mux.tally import Tally
from portmux.core.mux.waiting import Waiting
from tests.core.mux.test_asker import asker


class LinesTests(SynchronousTestCase):
    def lines(self, **settings: Any) -> Lines:
        self.tally = Tally()
        return Lines(Settings(**settings), [Waiting(), Waiting()], self.tally)

    def put(self, lines: Lines, one: Asker, target: int = 0) -> Request:
        request = Request(one, Frame(b"a\n"), lines.number(), 0.0, target=target)
        lines.put(request)
        return request

    def test_the_second_waits_for_the_answer_to_the_first(self) -> None:
        lines, one = self.lines(), asker()
        first, second = self.put(lines, one), self.put(lines, one)
        self.assertEqual((first.called, second.called), (True, False))
        self.assertIs(lines.take(0), first)
        lines.call(one)
        self.assertFalse(second.called)
        one.under_way.remove(first)
        lines.call(one)
        self.assertTrue(second.called)

    def test_also_where_they_go_to_different_targets(self) -> None:
        lines, one = self.lines(), asker()
        self.put(lines, one)
        second = self.put(lines, one, target=1)
        self.assertFalse(second.called)

    def test_on_one_connection_they_may_go_together(self) -> None:
        lines, one = self.lines(pipeline=2), asker()
        self.put(lines, one)
        second = self.put(lines, one)
        lines.take(0).departed = 0.0
        lines.call(one)
        self.assertTrue(second.called)

    def test_not_what_could_overtake(self) -> None:
        """
        Neither what waits for the answer to another client's request, nor what is
        under way to another target, is known to be there before what is sent now.
        """
        for target, departed in ((0, -1.0), (1, 0.0)):
            for reads in ((True, False), (False, True), (True, True)):
                lines, one = self.lines(pipeline=2), asker()
                first = Request(one, Frame(b"a\n"), lines.number(), 0.0, target=target)
                first.departed, first.reads = departed, reads[0]
                one.under_way.add(first)
                second = Request(one, Frame(b"b\n"), lines.number(), 0.0)
                second.reads = reads[1]
                lines.put(second)
                self.assertEqual(second.called, all(reads))

    def test_full(self) -> None:
        lines, one = self.lines(queue=2), asker()
        self.put(lines, one)
        self.assertFalse(lines.full)
        last = self.put(lines, one)
        self.assertTrue(lines.full)
        self.assertEqual(self.tally.queued, 2)
        lines.leave(last)
        self.assertFalse(lines.full)
        self.assertIs(last.stage, Stage.OVER)

    def test_none_waits_for_one_that_came_later(self) -> None:
        lines, one = self.lines(per_client=2), asker()
        first = self.put(lines, one)
        lines.take(0)
        one.under_way.add(Request(one, Frame(b"b\n"), lines.number(), 0.0))
        lines.again(first)
        self.assertTrue(first.called)

    def test_what_waits_again_stands_in_its_place(self) -> None:
        """Those that wait again need not do so in any order."""
        lines, one = self.lines(pipeline=3, per_client=3), asker()
        first, second, third = (self.put(lines, one) for _ in range(3))
        for _ in range(2):
            lines.take(0).departed = 0.0
            lines.call(one)
        lines.again(first)
        lines.again(second)
        self.assertEqual(list(one.line), [first, second, third])

    def test_what_waits_again_stands_first(self) -> None:
        lines, one = self.lines(per_client=2), asker()
        first, second = self.put(lines, one), self.put(lines, one)
        lines.take(0)
        lines.again(first)
        self.assertEqual(list(one.line), [first, second])
        self.assertEqual((one.under_way, lines.queued), (set(), 2))
        self.assertIs(lines.take(0), first)
