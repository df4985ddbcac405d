"""Tests for L{portmux.core.mux.expert}: when experts are asked, and told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.line import Line
from portmux.core.frame.modbus import Modbus
from portmux.core.mux.expert import Expert, Versed
from portmux.core.pool import Pool
from tests.core.mux.experts import Known, Spoken
from tests.core.mux.stage import TARGET, Stage


class ExpertTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.known = Known()
        expert: Expert = self.known
        self.stage = Stage(Spoken(), expert=expert, answer=5.0)

    def test_what_is_known_needs_no_target(self) -> None:
        one = self.stage.client()
        self.stage.ask(one, b"k1\nk1\n")
        self.assertEqual((one.heard, self.stage.wires), (b"known\n" * 2, []))
        self.assertEqual(self.stage.tally.results, {"replied": 2})

    def test_what_is_known_does_not_overtake(self) -> None:
        one = self.stage.client()
        self.stage.ask(one, b"w1\nk1\n")
        self.assertEqual(one.heard, b"")
        self.stage.say(self.stage.wires[0], b"W\n")
        self.assertEqual(one.heard, b"W\nknown\n")

    def test_is_told_what_happens(self) -> None:
        one, two = self.stage.client(), self.stage.client()
        self.stage.ask(one, b"r1\n")
        self.stage.ask(two, b"w1\n")
        self.stage.say(self.stage.wires[0], b"R\n")
        self.stage.advance(5)
        told = ["sent r1", "answered R", "sent w1", "lost w1"]
        self.assertEqual(self.known.heard, told)

    def test_is_told_of_each_time(self) -> None:
        one = self.stage.client()
        self.stage.ask(one, b"r1\n")
        self.stage.fail(self.stage.wires[0])
        self.stage.advance(1)
        self.stage.say(self.stage.wires[1], b"R\n")
        told = ["sent r1", "lost r1", "sent r1", "answered R"]
        self.assertEqual(self.known.heard, told)

    def test_chooses_the_target(self) -> None:
        stage = Stage(
            Spoken(), [Pool.of([TARGET]), Pool.of([TARGET])], expert=Known(targets=2)
        )
        one, two = stage.client(), stage.client()
        stage.ask(one, b"w2\n")
        stage.ask(two, b"w3\n")
        self.assertEqual([wire.take() for wire in stage.wires], [b"w2\n", b"w3\n"])
        self.assertEqual([wire.link.target for wire in stage.wires], [0, 1])


class VersedTests(SynchronousTestCase):
    def test_who_has_experts(self) -> None:
        self.assertIsInstance(Modbus(), Versed)
        self.assertNotIsInstance(Line(), Versed)
