"""Tests for L{portmux.core.mux.exchanges}: what becomes of requests."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.frame.framer import Trouble
from portmux.core.frame.http import Http
from portmux.core.frame.modbus import Modbus
from portmux.core.frame.modbus_rtu import ModbusRtu
from portmux.core.modbus.units import Unit
from portmux.core.mux.exchanges import DEAD, NO_TURN, SILENT
from portmux.core.pool import Pool
from tests.core.mux.chaos import Serial, Tcp
from tests.core.mux.experts import Known, Spoken
from tests.core.mux.stage import TARGET, Stage


class FailureTests(SynchronousTestCase):
    def test_words(self) -> None:
        self.assertEqual((SILENT.trouble, DEAD.trouble), (Trouble.SILENT,) * 2)
        self.assertIs(NO_TURN.trouble, Trouble.UNREACHABLE)


class RepliesTests(SynchronousTestCase):
    """C{errors: protocol}"""

    def test_modbus_without_a_path(self) -> None:
        stage = Stage(Modbus(), replies=True, reachable=False)
        one = stage.client()
        stage.ask(one, Tcp().request(5, 1, False, 7))
        stage.fail(stage.wires[0])
        stage.advance(3)
        self.assertEqual(one.heard.hex(" "), "00 07 00 00 00 03 01 83 0a")
        self.assertIsNone(one.told)

    def test_modbus_without_an_answer(self) -> None:
        stage = Stage(Modbus(), replies=True, answer=1.0)
        one = stage.client()
        stage.ask(one, Tcp().request(5, 1, False, 7))
        stage.advance(1)
        self.assertEqual(one.heard.hex(" "), "00 07 00 00 00 03 01 83 0b")

    def test_the_next_request_goes_on(self) -> None:
        stage = Stage(Modbus(), replies=True, answer=1.0)
        one = stage.client()
        stage.ask(one, Tcp().request(5, 1, False, 7) + Tcp().request(6, 1, False, 8))
        stage.advance(1)
        self.assertEqual(len(one.heard), 9)
        sent = stage.wires[-1].take()
        stage.say(stage.wires[-1], Tcp().answer(sent))
        self.assertEqual(one.heard[9:], Tcp().answer(Tcp().request(6, 1, False, 8)))

    def test_http(self) -> None:
        stage = Stage(Http(), replies=True, answer=1.0)
        one = stage.client()
        stage.ask(one, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        stage.advance(1)
        self.assertTrue(one.heard.startswith(b"HTTP/1.1 504 "), one.heard)

    def test_line_has_no_words_for_it(self) -> None:
        stage = Stage(replies=True, answer=1.0)
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.advance(1)
        self.assertEqual((one.heard, one.told), (b"", ("answer-timeout", "")))


class RepeatTests(SynchronousTestCase):
    def test_a_read_is_sent_again(self) -> None:
        stage = Stage(Spoken())
        one = stage.client()
        stage.ask(one, b"r1\n")
        stage.end(stage.wires[0])
        stage.advance(1)
        self.assertEqual(stage.wires[1].take(), b"r1\n")
        stage.say(stage.wires[1], b"1\n")
        self.assertEqual((one.heard, stage.tally.repeated), (b"1\n", 1))

    def test_as_often_as_allowed(self) -> None:
        stage = Stage(Spoken(), retries=2)
        one = stage.client()
        stage.ask(one, b"r1\n")
        for _ in range(3):
            self.assertIsNone(one.told)
            stage.fail(stage.wires[-1], "reset by the target")
            stage.advance(4)
        self.assertEqual(one.told, ("backend-lost", "reset by the target"))
        self.assertEqual(len(stage.wires), 3)

    def test_a_write_is_not(self) -> None:
        stage = Stage(Spoken())
        one = stage.client()
        stage.ask(one, b"w1\n")
        stage.end(stage.wires[0])
        self.assertEqual(one.told, ("backend-lost", "closed by the target"))

    def test_nor_what_nobody_waits_for(self) -> None:
        stage = Stage(Spoken())
        one = stage.client()
        stage.ask(one, b"r1\n")
        stage.leave(one)
        stage.end(stage.wires[0])
        stage.advance(5)
        self.assertEqual(len(stage.wires), 1)

    def test_those_on_one_connection_stay_in_order(self) -> None:
        stage = Stage(Modbus(), pipeline=3, per_client=3)
        one, tcp = stage.client(), Tcp()
        requests = [tcp.request(number, 1, False, number) for number in (1, 2, 3)]
        stage.ask(one, b"".join(requests))
        stage.fail(stage.wires[0], "reset by the target")
        stage.advance(1)
        sent = stage.wires[1].take()
        self.assertEqual([tcp.token(sent[at:]) for at in (0, 12, 24)], [1, 2, 3])

    def test_not_behind_a_change_of_its_own_client(self) -> None:
        """Which it would see, though it was asked before."""
        for write in (False, True):
            framer = Modbus()
            stage = Stage(
                framer, expert=framer.expert(), pipeline=2, per_client=2, replies=True
            )
            one, tcp = stage.client(), Tcp()
            stage.ask(one, tcp.request(1, 1, False, 1) + tcp.request(2, 1, write, 2))
            stage.fail(stage.wires[0], "reset by the target")
            stage.advance(1)
            expected = {False: (2, {}), True: (1, {"broken": 2})}[write]
            self.assertEqual((len(stage.wires), stage.tally.results), expected)


class BroadcastTests(SynchronousTestCase):
    def test_nobody_answers(self) -> None:
        stage = Stage(ModbusRtu(), pause=0.5)
        one, serial = stage.client(), Serial()
        everybody = serial.request(5, 0, True, 0)
        stage.ask(one, everybody + serial.request(6, 1, False, 0))
        (wire,) = stage.wires
        self.assertEqual(wire.take(), everybody)
        stage.advance(0.5)
        self.assertEqual(wire.take(), serial.request(6, 1, False, 0))
        self.assertEqual(stage.tally.results, {"unanswered": 1})


class SharedTests(SynchronousTestCase):
    def stage(self, **settings: Any) -> Stage:
        return Stage(Spoken(), expert=Known(), **settings)

    def test_one_answer_for_all(self) -> None:
        stage = self.stage()
        people = [stage.client() for _ in range(3)]
        for person in people:
            stage.ask(person, b"r1\n")
        (wire,) = stage.wires
        self.assertEqual(wire.take(), b"r1\n")
        stage.say(wire, b"1\n")
        self.assertEqual([person.heard for person in people], [b"1\n"] * 3)
        self.assertEqual(stage.tally.results, {"answered": 1, "shared": 2})
        stage.ask(people[0], b"r1\n")
        self.assertEqual(wire.take(), b"r1\n")

    def test_who_asked_first_may_leave(self) -> None:
        """While it waits, the next one stands for all; while it is asked, it does."""
        for busy in (True, False):
            stage = self.stage()
            first, second, third = (stage.client() for _ in range(3))
            if busy:
                stage.ask(stage.client(), b"w1\n")
            for person in (first, second, third):
                stage.ask(person, b"r1\n")
            stage.leave(first)
            (wire,) = stage.wires
            if busy:
                self.assertEqual(wire.take(), b"w1\n")
                stage.say(wire, b"W\n")
            self.assertEqual(wire.take(), b"r1\n")
            stage.say(wire, b"1\n")
            self.assertEqual((second.heard, third.heard), (b"1\n", b"1\n"))

    def test_who_is_gone_may_stand_for_others_again(self) -> None:
        """Its own other requests must be over before: also those that it shared."""
        modbus, tcp = Modbus(share=True), Tcp()
        stage = Stage(modbus, expert=modbus.expert(), connections=2, per_client=2)
        gone, other, third = (stage.client() for _ in range(3))
        stage.ask(gone, tcp.request(1, 1, False, 1))
        stage.ask(other, tcp.request(2, 1, False, 2))
        stage.ask(gone, tcp.request(2, 1, False, 3))
        stage.ask(third, tcp.request(1, 1, False, 4))
        first, second = stage.wires
        stage.leave(gone)
        stage.fail(first, "reset by the target")
        stage.say(second, tcp.answer(second.take()))
        self.assertEqual(other.heard, tcp.answer(tcp.request(2, 1, False, 2)))
        stage.advance(1)
        for wire in stage.live:
            if sent := wire.take():
                stage.say(wire, tcp.answer(sent))
        self.assertEqual(third.heard, tcp.answer(tcp.request(1, 1, False, 4)))

    def test_who_is_gone_may_stand_for_others_when_its_other_request_fails(
        self,
    ) -> None:
        elsewhere = Host("192.0.2.10", 502)
        modbus, tcp = Modbus(units={2: Unit(to=(elsewhere,))}, share=True), Tcp()
        stage = Stage(
            modbus,
            [Pool.of([TARGET]), Pool.of([elsewhere])],
            modbus.expert(),
            pipeline=2,
            per_client=2,
            unreachable=3.0,
        )
        reads = [tcp.request(5, unit, False, 0) for unit in (1, 2)]
        gone, here, there = (stage.client() for _ in range(3))
        stage.ask(gone, b"".join(reads))
        stage.ask(here, reads[0])
        stage.ask(there, reads[1])
        stage.leave(gone)
        stage.reachable = False
        first, second = stage.wires
        stage.fail(first, "reset by the target")
        stage.advance(1)
        stage.fail(second, "reset by the target")
        stage.advance(2)
        self.assertIsNotNone(here.told)
        stage.connected(stage.wires[-1])
        self.answer_all(stage)
        self.assertEqual(there.heard, tcp.answer(reads[1]))

    def test_with_itself(self) -> None:
        """A request is not kept back by a later one that waits for its answer."""
        modbus, tcp = Modbus(share=True), Tcp()
        stage = Stage(modbus, expert=modbus.expert(), per_client=3)
        one = stage.client()
        requests = [
            tcp.request(at, 1, False, mark) for mark, at in enumerate((1, 2, 2))
        ]
        stage.ask(one, b"".join(requests))
        self.answer_all(stage)
        self.assertEqual(one.heard, b"".join(map(tcp.answer, requests)))
        self.assertEqual(stage.tally.results, {"answered": 2, "shared": 1})

    def test_two_with_each_other(self) -> None:
        """Each has joined what the other one has behind its first request."""
        modbus, tcp = Modbus(share=True), Tcp()
        stage = Stage(modbus, expert=modbus.expert(), connections=2, per_client=3)
        one, two = stage.client(), stage.client()
        for mark, (first, second) in enumerate(((1, 2), (3, 4), (4, 3))):
            stage.ask(one, tcp.request(first, 1, False, mark))
            stage.ask(two, tcp.request(second, 1, False, mark))
        self.answer_all(stage)
        for person, asked in (one, (1, 3, 4)), (two, (2, 4, 3)):
            requests = [
                tcp.request(at, 1, False, mark) for mark, at in enumerate(asked)
            ]
            heard = {
                person.heard[at : at + 11] for at in range(0, len(person.heard), 11)
            }
            self.assertEqual(heard, set(map(tcp.answer, requests)))

    def test_a_read_that_is_sent_again_waits_for_nothing_that_came_later(self) -> None:
        """What its client has joined since may itself wait for that read."""
        modbus, tcp = Modbus(share=True), Tcp()
        stage = Stage(modbus, expert=modbus.expert(), per_client=2)
        one, two = stage.client(), stage.client()
        stage.ask(one, tcp.request(1, 1, False, 1))
        stage.ask(two, tcp.request(1, 1, False, 1) + tcp.request(2, 1, False, 2))
        stage.ask(one, tcp.request(2, 1, False, 2))
        stage.fail(stage.wires[0], "reset by the target")
        stage.advance(1)
        self.answer_all(stage)
        answers = [tcp.answer(tcp.request(at, 1, False, at)) for at in (1, 2)]
        self.assertEqual([one.heard, two.heard], [b"".join(answers)] * 2)

    def test_an_heir_waits_for_what_came_before_it_and_for_no_more(self) -> None:
        modbus, tcp = Modbus(share=True), Tcp()
        stage = Stage(modbus, expert=modbus.expert(), per_client=3)
        busy, first, heir, third = (stage.client() for _ in range(4))
        stage.ask(busy, tcp.request(9, 1, True, 1))
        stage.ask(first, tcp.request(1, 1, False, 1))
        stage.ask(heir, tcp.request(1, 1, False, 1))
        stage.ask(third, tcp.request(1, 1, False, 1) + tcp.request(2, 1, False, 2))
        stage.ask(heir, tcp.request(2, 1, False, 2))
        stage.leave(first)
        self.answer_all(stage)
        answers = [tcp.answer(tcp.request(at, 1, False, at)) for at in (1, 2)]
        self.assertEqual([heir.heard, third.heard], [b"".join(answers)] * 2)

    def answer_all(self, stage: Stage) -> None:
        """The target answers whatever it is asked over Modbus, until it is not."""
        asked = True
        while asked:
            asked = False
            for wire in stage.live:
                while sent := wire.take():
                    asked = True
                    stage.say(wire, Tcp().answer(sent))

    def test_all_are_told_that_there_is_none(self) -> None:
        stage = self.stage(answer=1.0)
        people = [stage.client() for _ in range(3)]
        for person in people:
            stage.ask(person, b"r1\n")
        stage.advance(1)
        self.assertEqual(
            [person.told for person in people], [("answer-timeout", "")] * 3
        )

    def test_not_what_was_asked_before_a_write(self) -> None:
        """Else a client that has written could read what was there before."""
        stage = self.stage(connections=2)
        reader, writer = stage.client(), stage.client()
        stage.ask(reader, b"r1\n")
        stage.ask(writer, b"w1\n")
        first, second = stage.wires
        stage.say(second, b"W\n")
        second.take()
        stage.ask(writer, b"r1\n")
        self.assertEqual(second.take(), b"r1\n")
        stage.say(second, b"new\n")
        stage.say(first, b"old\n")
        self.assertEqual((reader.heard, writer.heard), (b"old\n", b"W\nnew\n"))


class ToldTests(SynchronousTestCase):
    def test_of_every_request(self) -> None:
        stage = Stage(told=True, answer=1.0)
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\nb\n")
        stage.say(stage.wires[0], b"A\n")
        stage.ask(two, b"c\n")
        stage.leave(two)
        stage.advance(1)
        expected = [(b"a\n", "answered"), (b"c\n", "left"), (b"b\n", "silent")]
        self.assertEqual(stage.over, expected)
