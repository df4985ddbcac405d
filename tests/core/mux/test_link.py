"""Tests for L{portmux.core.mux.link}: which answer belongs to which request."""

from __future__ import annotations

import math
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.backend import Backend
from portmux.core.frame.framer import Frame, Framer
from portmux.core.frame.line import Line
from portmux.core.frame.modbus import Modbus
from portmux.core.mux.asker import Request
from portmux.core.mux.link import LATE, Link, Phase
from portmux.core.mux.settings import Settings
from portmux.core.option import Octets
from portmux.core.reach import PLAIN
from tests.core.mux.stage import TARGET
from tests.core.mux.test_asker import asker

READ = bytes.fromhex("000700000006 01 03 0001 0001")

ANSWER = bytes.fromhex("000100000005 01 03 02 0009")


def link(framer: Framer, **settings: Any) -> Link:
    """@return: one that is ready."""
    made = Link(
        0,
        Backend(TARGET),
        PLAIN,
        0.0,
        framer.dialogue,
        framer.answers(),
        Settings(**settings),
    )
    made.phase = Phase.READY
    return made


def request(data: bytes) -> Request:
    return Request(asker(), Frame(data), 1, 0.0)


class NumberedTests(SynchronousTestCase):
    def test_numbers_are_its_own(self) -> None:
        """Two clients may have chosen the same."""
        made = link(Modbus(), pipeline=2)
        one, two = request(READ), request(READ)
        sent = made.send(one, 1.0), made.send(two, 1.0)
        self.assertEqual([data[:2] for data in sent], [b"\0\1", b"\0\2"])
        second = b"\0\2" + ANSWER[2:]
        found = made.receive(second + ANSWER, 2.0)
        self.assertEqual([each for each, _ in found], [two, one])
        self.assertFalse(made.busy)

    def test_other_numbers_units_and_functions_are_nobodys(self) -> None:
        made = link(Modbus())
        asked = request(READ)
        made.send(asked, 1.0)
        for place, wrong in ((1, 9), (6, 9), (7, 4)):
            data = bytearray(ANSWER)
            data[place] = wrong
            self.assertEqual(made.receive(bytes(data), 2.0), [])
        self.assertEqual((made.unsolicited, made.broken), (3, ""))
        self.assertEqual([each for each, _ in made.receive(ANSWER, 2.0)], [asked])

    def test_an_exception_is_an_answer(self) -> None:
        made = link(Modbus())
        made.send(request(READ), 1.0)
        found = made.receive(bytes.fromhex("000100000003 01 83 02"), 2.0)
        self.assertEqual(len(found), 1)

    def test_numbers_that_are_owed_an_answer_are_not_used_again(self) -> None:
        made = link(Modbus(), tolerant=True)
        late = request(READ)
        made.send(late, 1.0)
        self.assertTrue(made.give_up(late))
        made._number = (1 << 16) - 1
        self.assertEqual(made.send(request(READ), 2.0)[:2], b"\0\0")
        self.assertEqual(made.send(request(READ), 2.0)[:2], b"\0\2")
        self.assertEqual(made.receive(ANSWER, 3.0), [])

    def test_too_many_owed_answers_cost_the_connection(self) -> None:
        made = link(Modbus(), tolerant=True)
        for number in range(LATE + 1):
            late = request(READ)
            made.send(late, 1.0)
            self.assertEqual(made.give_up(late), number < LATE)

    def test_without_tolerance_any_does(self) -> None:
        made = link(Modbus())
        late = request(READ)
        made.send(late, 1.0)
        self.assertFalse(made.give_up(late))


class PlainTests(SynchronousTestCase):
    def test_the_answer_before_what_is_too_much_counts(self) -> None:
        made = link(Line())
        asked = request(b"a\n")
        made.send(asked, 1.0)
        found = made.receive(b"A\nB\n", 2.0)
        self.assertEqual([each for each, _ in found], [asked])
        self.assertEqual(made.broken, "an answer that is none: nobody has asked for it")
        self.assertFalse(made.free(3.0))

    def test_a_beginning_is_too_much_as_well(self) -> None:
        made = link(Line())
        made.send(request(b"a\n"), 1.0)
        made.receive(b"A\nB", 2.0)
        self.assertEqual(made.broken, "more octets than the answer has")

    def test_what_is_no_frame(self) -> None:
        made = link(Line(limit=Octets(4)))
        made.send(request(b"a\n"), 1.0)
        self.assertEqual(made.receive(b"too long", 2.0), [])
        self.assertIn("4 octets", made.broken)


class DueTests(SynchronousTestCase):
    def test_of_each_phase(self) -> None:
        made = link(Line(), settle=2, connect=5, answer=7, pause=3, idle=20, age=100)
        made.phase = Phase.DIALLING
        self.assertEqual(made.due(True, 0.0), 5.0)
        made.phase = Phase.SETTLING
        self.assertEqual(made.due(True, 0.0), 2.0)
        made.phase = Phase.READY
        self.assertEqual(made.due(False, 1.0), 20.0)
        made.send(request(b"a\n"), 4.0)
        self.assertEqual(made.due(True, 5.0), 11.0)
        made.receive(b"A\n", 6.0)
        self.assertEqual(made.due(True, 7.0), 9.0)
        self.assertEqual(made.due(False, 7.0), 26.0)
        self.assertEqual(made.due(True, 9.0), 26.0)

    def test_never(self) -> None:
        self.assertEqual(link(Line()).due(True, 1.0), math.inf)
