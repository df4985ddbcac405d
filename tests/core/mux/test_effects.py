"""Tests for L{portmux.core.mux.effects}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.mux.effects import Drop, HangUp, Send
from tests.core.mux.stage import Stage


class EffectTests(SynchronousTestCase):
    def test_a_connection_is_given_up_before_its_successor_is_used(self) -> None:
        stage = Stage(answer=1.0, connections=2)
        one, two, three = (stage.client() for _ in range(3))
        stage.ask(one, b"a\n")
        stage.now = 0.5
        stage.ask(two, b"b\n")
        stage.ask(three, b"c\n")
        stage.say(stage.wires[1], b"B\n")
        stage.ask(two, b"d\n")
        stage.now = 1.0
        effects = stage.mux.expire(stage.now)
        self.assertEqual([type(each) for each in effects[:2]], [Drop, HangUp])
        self.assertNotIn(Send, [type(each) for each in effects])
