"""Tests for L{portmux.core.mux.asker}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame
from portmux.core.frame.line import Line
from portmux.core.mux.asker import Asker, Request, Stage
from tests.core.mux.stage import SOURCE


def asker() -> Asker:
    return Asker(SOURCE, Line().requests())


class AskerTests(SynchronousTestCase):
    def test_asks_what_waits_and_what_is_under_way(self) -> None:
        one = asker()
        self.assertEqual(one.asking, 0)
        one.line.append(Request(one, Frame(b"a\n"), 1, 0.0))
        one.under_way = {Request(one, Frame(b"a\n"), at, 0.0) for at in (2, 3)}
        self.assertEqual(one.asking, 3)


class ChangesTests(SynchronousTestCase):
    def test_of_what_waits_and_what_is_under_way(self) -> None:
        one = asker()
        self.assertFalse(one.changes)
        for place in ("line", "under_way"):
            one = asker()
            request = Request(one, Frame(b"a\n"), 0, 0.0)
            request.reads = True
            if place == "line":
                one.line.append(request)
            else:
                one.under_way.add(request)
            self.assertFalse(one.changes)
            request.reads = False
            self.assertTrue(one.changes)


class RequestTests(SynchronousTestCase):
    def test_waits_first(self) -> None:
        self.assertIs(Request(asker(), Frame(b"a\n"), 1, 0.0).stage, Stage.WAITING)
