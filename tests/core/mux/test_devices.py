"""Tests for L{portmux.core.mux.devices}: one that is dead does not stall others."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame
from portmux.core.mux.asker import Request
from portmux.core.mux.breaker import Rule
from portmux.core.mux.devices import Devices
from portmux.core.mux.tally import Tally
from tests.core.mux.experts import Known, Spoken
from tests.core.mux.stage import Person, Stage
from tests.core.mux.test_asker import asker


class DevicesTests(SynchronousTestCase):
    def test_without_an_expert_all_may_go(self) -> None:
        devices = Devices(None, Rule(1, 1.0), Tally())
        request = Request(asker(), Frame(b"a\n"), 1, 0.0)
        devices.silent(request, 0.0)
        self.assertTrue(devices.admits(request, 0.0))
        self.assertFalse(devices.is_dead(request, 0.0))


class BreakerTests(SynchronousTestCase):
    def stage(self, **settings: Any) -> Stage:
        rule = Rule(2, 30.0)
        return Stage(Spoken(), expert=Known(), breaker=rule, answer=2.0, **settings)

    def kill(self, stage: Stage, unit: int) -> None:
        """Two requests that are not answered."""
        for _ in range(2):
            stage.ask(stage.client(), b"w%d\n" % unit)
            stage.advance(2)

    def ask(self, stage: Stage, unit: int) -> Person:
        person = stage.client()
        stage.ask(person, b"w%d\n" % unit)
        return person

    def test_a_dead_one_is_not_waited_for(self) -> None:
        stage = self.stage()
        self.kill(stage, 1)
        dead, living = self.ask(stage, 1), self.ask(stage, 2)
        self.assertEqual(dead.told, ("answer-timeout", "the unit does not answer"))
        self.assertEqual(stage.wires[-1].take(), b"w2\n")
        stage.say(stage.wires[-1], b"2\n")
        self.assertEqual(living.heard, b"2\n")

    def test_nor_are_those_that_wait_already(self) -> None:
        stage = self.stage()
        people = [self.ask(stage, 1) for _ in range(5)]
        living = self.ask(stage, 2)
        stage.advance(5)
        self.assertEqual(len(stage.wires), 3)
        self.assertEqual(stage.wires[-1].take(), b"w2\n")
        self.assertTrue(all(person.told for person in people))
        self.assertIsNone(living.told)

    def test_it_is_tried_again_and_may_be_well(self) -> None:
        stage = self.stage()
        self.kill(stage, 1)
        stage.advance(30)
        trial, other = self.ask(stage, 1), self.ask(stage, 1)
        self.assertIsNone(trial.told)
        self.assertIsNotNone(other.told)
        stage.say(stage.wires[-1], b"1\n")
        self.assertEqual(trial.heard, b"1\n")
        self.assertIsNone(self.ask(stage, 1).told)

    def test_a_gateway_may_say_so_in_its_place(self) -> None:
        stage = self.stage()
        for _ in range(2):
            self.ask(stage, 1)
            stage.say(stage.wires[0], b"mute\n")
        self.assertIsNotNone(self.ask(stage, 1).told)
        self.assertIsNone(self.ask(stage, 2).told)

    def test_each_is_counted(self) -> None:
        stage = self.stage()
        self.kill(stage, 1)
        self.ask(stage, 2)
        stage.say(stage.wires[-1], b"2\n")
        units = stage.tally.units
        self.assertEqual(units["1"].results, {"silent": 2})
        self.assertEqual(units["2"].results, {"answered": 1})
        self.assertEqual(sum(units["2"].answered.counts), 1)
