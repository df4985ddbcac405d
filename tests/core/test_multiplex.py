"""Tests for L{portmux.core.multiplex}: pairing, order, and what is given up."""

from __future__ import annotations

import sys

from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.line import Line
from portmux.core.multiplex import Multiplexer
from portmux.core.mux.clients import AHEAD
from portmux.core.mux.settings import Settings
from portmux.core.mux.tally import Tally
from portmux.core.pool import Pool
from tests.core.mux.chaos import Chaos, Lines, Serial, Shared, Tcp
from tests.core.mux.experts import Known
from tests.core.mux.stage import SOURCE, TARGET, Stage

SOME = hypothesis_settings(max_examples=60, stateful_step_count=50, deadline=None)
"""
Enough to find what was broken on purpose, in a few seconds. With STRICT=1 always the
same; run it by hand without, and with many more, after a change of what it is about.
"""


class PairingTests(SynchronousTestCase):
    def test_one_request_is_under_way_on_a_connection(self) -> None:
        stage = Stage()
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\n")
        stage.ask(two, b"b\n")
        (wire,) = stage.wires
        self.assertEqual(wire.take(), b"a\n")
        stage.say(wire, b"A\n")
        self.assertEqual((one.heard, two.heard), (b"A\n", b""))
        self.assertEqual(wire.take(), b"b\n")
        stage.say(wire, b"B\n")
        self.assertEqual((one.heard, two.heard), (b"A\n", b"B\n"))
        self.assertEqual(len(stage.wires), 1)

    def test_two_requests_in_one_segment_are_answered_in_order(self) -> None:
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a\nb\n")
        (wire,) = stage.wires
        self.assertEqual(wire.take(), b"a\n")
        stage.say(wire, b"A\n")
        self.assertEqual(wire.take(), b"b\n")

    def test_connections_work_at_the_same_time(self) -> None:
        stage = Stage(connections=2)
        people = [stage.client() for _ in range(3)]
        for person in people:
            stage.ask(person, b"x\n")
        self.assertEqual([wire.take() for wire in stage.wires], [b"x\n", b"x\n"])

    def test_connections_take_turns(self) -> None:
        stage = Stage(connections=2)
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\n")
        stage.ask(two, b"b\n")
        first, second = stage.wires
        stage.say(first, b"A\n")
        stage.say(second, b"B\n")
        first.take(), second.take()
        order = []
        for _ in range(4):
            stage.ask(one, b"c\n")
            wire = first if first.take() else second
            order.append(stage.wires.index(wire))
            stage.say(wire, b"C\n")
        self.assertIn(order, ([0, 1, 0, 1], [1, 0, 1, 0]))

    def test_a_client_that_left_changes_nothing_for_others(self) -> None:
        stage = Stage()
        one, two, three = (stage.client() for _ in range(3))
        for person, line in ((one, b"a\n"), (two, b"b\n"), (three, b"c\n")):
            stage.ask(person, line)
        (wire,) = stage.wires
        stage.leave(one)
        stage.leave(two)
        self.assertEqual(wire.take(), b"a\n")
        stage.say(wire, b"A\n")
        self.assertEqual(wire.take(), b"c\n")
        stage.say(wire, b"C\n")
        self.assertEqual(three.heard, b"C\n")
        self.assertEqual(stage.tally.results, {"left": 1, "answered": 2})

    def test_what_nobody_asked_for_costs_the_connection(self) -> None:
        """Else it would pass for the answer to the next request."""
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a\n")
        (wire,) = stage.wires
        stage.say(wire, b"A\n")
        stage.say(wire, b"more\n")
        self.assertTrue(wire.dropped)
        self.assertEqual(stage.tally.unsolicited, 1)
        stage.ask(one, b"b\n")
        stage.say(stage.wires[1], b"B\n")
        self.assertEqual(one.heard, b"A\nB\n")

    def test_a_second_answer_in_the_same_segment_is_nobodys(self) -> None:
        stage = Stage()
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\n")
        stage.ask(two, b"b\n")
        stage.say(stage.wires[0], b"A\nA\n")
        self.assertEqual((one.heard, two.heard), (b"A\n", b""))
        self.assertEqual(stage.wires[0].take(), b"a\n")
        self.assertTrue(stage.wires[0].dropped)
        self.assertEqual(stage.wires[1].take(), b"b\n")

    def test_the_beginning_of_a_second_answer_costs_the_connection_too(self) -> None:
        stage = Stage()
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\n")
        stage.ask(two, b"b\n")
        stage.say(stage.wires[0], b"A\nA")
        self.assertEqual(one.heard, b"A\n")
        self.assertTrue(stage.wires[0].dropped)
        self.assertEqual(stage.wires[1].take(), b"b\n")

    def test_a_late_answer_reaches_nobody(self) -> None:
        stage = Stage(answer=2)
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\n")
        stage.ask(two, b"b\n")
        stage.advance(2)
        self.assertEqual(one.told, ("answer-timeout", ""))
        first, second = stage.wires
        self.assertTrue(first.dropped)
        stage.say(first, b"A\n")
        self.assertEqual(second.take(), b"b\n")
        self.assertEqual(two.heard, b"")
        stage.say(second, b"B\n")
        self.assertEqual(two.heard, b"B\n")


class ClientTests(SynchronousTestCase):
    def test_garbage_behind_a_request_closes_after_the_answer(self) -> None:
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a\n" + bytes(2 << 20))
        self.assertTrue(one.held)
        stage.say(stage.wires[0], b"A\n")
        self.assertEqual(one.heard, b"A\n")
        assert one.told is not None
        self.assertEqual(one.told[0], "malformed")

    def test_who_has_finished_gets_its_answers(self) -> None:
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a\nb\n")
        stage.finish(one)
        (wire,) = stage.wires
        stage.say(wire, b"A\n")
        self.assertIsNone(one.told)
        stage.say(wire, b"B\n")
        self.assertEqual((one.heard, one.told), (b"A\nB\n", ("done", "")))

    def test_who_has_finished_within_a_request_is_told_so(self) -> None:
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a")
        stage.finish(one)
        self.assertEqual(one.told, ("done", "in the middle of a request"))

    def test_who_does_not_read_is_not_asked_for_more(self) -> None:
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a\nb\n")
        (wire,) = stage.wires
        wire.take()
        stage.full(one, True)
        stage.say(wire, b"A\n")
        self.assertEqual(wire.take(), b"")
        stage.full(one, False)
        self.assertEqual(wire.take(), b"b\n")

    def test_who_asks_far_ahead_is_held(self) -> None:
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a\n" + b"b\n" * (AHEAD // 2))
        self.assertFalse(one.held)
        stage.ask(one, b"c\n")
        self.assertTrue(one.held)
        for _ in range(2):
            stage.say(stage.wires[0], b"A\n")
        self.assertFalse(one.held)

    def test_a_request_has_to_come_in_time(self) -> None:
        stage = Stage(request=2)
        one, two = stage.client(), stage.client()
        stage.advance(1)
        stage.ask(two, b"a\n")
        stage.ask(one, b"a")
        stage.advance(1)
        self.assertEqual((one.told, two.told), (("request-timeout", ""), None))
        stage.advance(5)
        stage.say(stage.wires[0], b"A\n")
        stage.advance(1.9)
        self.assertIsNone(two.told)
        stage.advance(0.1)
        self.assertEqual(two.told, ("request-timeout", ""))


class QueueTests(SynchronousTestCase):
    def test_all_are_served_however_short_the_queue(self) -> None:
        stage = Stage(queue=1)
        people = [stage.client() for _ in range(100)]
        for number, person in enumerate(people):
            stage.ask(person, b"%d\n" % number)
        (wire,) = stage.wires
        for number in range(100):
            self.assertEqual(wire.take(), b"%d\n" % number)
            stage.say(wire, b"%d!\n" % number)
        for number, person in enumerate(people):
            self.assertEqual(person.heard, b"%d!\n" % number)

    def test_in_order_of_arrival_a_greedy_client_goes_first(self) -> None:
        self.assertEqual(_served(rotate=False), b"g1 g2 g3 a1 b1 ".split())

    def test_in_turns_it_does_not(self) -> None:
        self.assertEqual(_served(rotate=True), b"g1 a1 b1 g2 g3 ".split())

    def test_nobody_waits_longer_than_allowed(self) -> None:
        stage = Stage(wait=2, queue=1)
        people = [stage.client() for _ in range(4)]
        for person in people:
            stage.ask(person, b"x\n")
        stage.advance(2)
        told = [person.told for person in people]
        self.assertEqual(told, [None, *[("queue-timeout", "")] * 3])


def _served(rotate: bool) -> list[bytes]:
    """@return: who was sent, of one that asks for much and two that do not."""
    stage = Stage(per_client=9, rotate=rotate)
    greedy, one, two = (stage.client() for _ in range(3))
    stage.ask(greedy, b"g1\ng2\ng3\n")
    stage.ask(one, b"a1\n")
    stage.ask(two, b"b1\n")
    (wire,) = stage.wires
    served = []
    while got := wire.take():
        served.append(got.strip())
        stage.say(wire, b"ok\n")
    return served


class RecoveryTests(SynchronousTestCase):
    def test_without_a_target_clients_are_closed(self) -> None:
        stage = Stage(reachable=False)
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.fail(stage.wires[0])
        stage.advance(0.9)
        self.assertEqual(len(stage.wires), 1)
        stage.advance(0.1)
        stage.fail(stage.wires[1])
        stage.advance(2)
        self.assertEqual(one.told, ("connect-failed", "connection refused"))
        self.assertEqual(stage.tally.results, {"unreachable": 1})

    def test_attempts_get_rarer(self) -> None:
        stage = Stage(reachable=False, keep=True)
        stage.carry(stage.mux.start(stage.now))
        for wait in (1, 2, 4, 8, 16, 30, 30, 30):
            stage.fail(stage.wires[-1])
            stage.advance(wait)
        self.assertEqual(stage.dials, [0, 1, 3, 7, 15, 31, 61, 91, 121])

    def test_a_mute_target_is_tried_again_at_once(self) -> None:
        """The time until the next attempt has passed already."""
        stage = Stage(answer=60)
        for _ in range(9):
            stage.ask(stage.client(), b"a\n")
            stage.advance(60)
        self.assertEqual(stage.dials, [60 * number for number in range(9)])

    def test_a_new_request_is_tried_for_at_once(self) -> None:
        stage = Stage(reachable=False)
        one = stage.client()
        for _ in range(6):
            stage.ask(one, b"a\n")
            stage.fail(stage.wires[-1])
            stage.advance(3)
            one = stage.client()
        stage.advance(100)
        before = len(stage.wires)
        stage.reachable = True
        stage.ask(one, b"b\n")
        self.assertEqual(len(stage.wires), before + 1)
        self.assertEqual(stage.wires[-1].take(), b"b\n")

    def test_what_was_lost_before_an_answer_is_not_tried_at_once(self) -> None:
        """A target that accepts and closes gets no flood of connections."""
        stage = Stage(keep=True)
        stage.carry(stage.mux.start(stage.now))
        for wait in (1, 2, 4):
            stage.end(stage.wires[-1])
            stage.advance(wait)
        self.assertEqual(stage.dials, [0, 1, 3, 7])

    def test_an_idle_connection_that_was_closed_is_replaced(self) -> None:
        stage = Stage()
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.say(stage.wires[0], b"A\n")
        stage.end(stage.wires[0])
        stage.ask(one, b"b\n")
        self.assertEqual(stage.wires[1].take(), b"b\n")
        self.assertIsNone(one.told)

    def test_a_lost_connection_closes_who_asked_on_it(self) -> None:
        stage = Stage()
        one, two = stage.client(), stage.client()
        stage.ask(one, b"a\n")
        stage.ask(two, b"b\n")
        stage.fail(stage.wires[0], "reset by the target")
        self.assertEqual(one.told, ("backend-lost", "reset by the target"))
        stage.advance(1)
        self.assertEqual(stage.wires[1].take(), b"b\n")

    def test_a_connection_rests_before_it_is_used(self) -> None:
        stage = Stage(settle=0.5)
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.advance(0.4)
        self.assertEqual(stage.wires[0].take(), b"")
        stage.advance(0.1)
        self.assertEqual(stage.wires[0].take(), b"a\n")

    def test_a_connection_rests_between_requests(self) -> None:
        stage = Stage(pause=0.5)
        one = stage.client()
        stage.ask(one, b"a\nb\n")
        (wire,) = stage.wires
        wire.take()
        stage.advance(3)
        stage.say(wire, b"A\n")
        self.assertEqual(wire.take(), b"")
        stage.advance(0.4)
        self.assertEqual(wire.take(), b"")
        stage.advance(0.1)
        self.assertEqual(wire.take(), b"b\n")

    def test_a_connection_that_nobody_needs_is_closed(self) -> None:
        stage = Stage(idle=5)
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.advance(4)
        stage.say(stage.wires[0], b"A\n")
        stage.advance(4.9)
        self.assertIsNone(stage.wires[0].dropped)
        stage.advance(0.1)
        self.assertIs(stage.wires[0].dropped, False)
        self.assertTrue(stage.quiet)

    def test_an_old_connection_is_replaced_between_requests(self) -> None:
        stage = Stage(age=5)
        one = stage.client()
        stage.ask(one, b"a\nb\n")
        stage.advance(6)
        first = stage.wires[0]
        self.assertIsNone(first.dropped)
        stage.say(first, b"A\n")
        self.assertEqual(first.take(), b"a\n")
        stage.advance(0)
        self.assertIs(first.dropped, False)
        self.assertEqual(stage.wires[1].take(), b"b\n")

    def test_connecting_takes_no_longer_than_allowed(self) -> None:
        stage = Stage(reachable=False, connect=2, unreachable=10)
        one = stage.client()
        stage.ask(one, b"a\n")
        stage.advance(2)
        self.assertTrue(stage.wires[0].dropped)
        stage.advance(1)
        self.assertEqual(len(stage.wires), 2)

    def test_the_last_client_takes_a_retired_ones_connections_along(self) -> None:
        stage = Stage(keep=True)
        stage.carry(stage.mux.start(stage.now))
        one = stage.client()
        stage.carry(stage.mux.retire(stage.now))
        stage.ask(one, b"a\n")
        stage.say(stage.wires[0], b"A\n")
        self.assertIsNone(stage.wires[0].dropped)
        stage.leave(one)
        self.assertIs(stage.wires[0].dropped, False)
        self.assertTrue(stage.quiet)


class LinesInChaos(Chaos):
    language = Lines()


class TcpInChaos(Chaos):
    language = Tcp()


class SharedInChaos(Chaos):
    language = Shared()


class SerialInChaos(Chaos):
    language = Serial()


class MultiplexerTests(SynchronousTestCase):
    def test_answers_that_come_at_once_do_not_overtake(self) -> None:
        """Without numbers, a client has one request at a time where an expert is."""
        mux = Multiplexer(
            Line(),
            Settings(per_client=5),
            [Pool.of([TARGET])],
            Tally(),
            lambda: 0.0,
            Known(),
        )
        asker = mux.join(SOURCE, 0.0)
        mux.receive(asker, b"w1\nk1\n", 0.0)
        self.assertEqual((asker.requests, asker.asking), (1, 1))


class ChaosTests(SynchronousTestCase):
    """L{Chaos} tells what must be true."""

    def test_lines(self) -> None:
        self.run_chaos(LinesInChaos)

    def test_modbus(self) -> None:
        self.run_chaos(TcpInChaos)

    def test_modbus_that_is_shared(self) -> None:
        self.run_chaos(SharedInChaos)

    def test_modbus_rtu(self) -> None:
        self.run_chaos(SerialInChaos)

    def run_chaos(self, kind: type[Chaos]) -> None:
        try:
            run_state_machine_as_test(kind, settings=SOME)
        except Exception as error:
            # What went wrong, step by step: trial does not show an error's notes.
            sys.stderr.write("\n".join(getattr(error, "__notes__", ())) + "\n")
            raise
