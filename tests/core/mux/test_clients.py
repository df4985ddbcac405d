"""Tests for L{portmux.core.mux.clients}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.http import Http
from portmux.core.mux.clients import AHEAD
from tests.core.mux.stage import Stage


class StandingTests(SynchronousTestCase):
    """Clients for whose requests the queue has no room."""

    def test_nobody_passes_those_who_stand(self) -> None:
        stage = Stage(queue=1)
        people = [stage.client() for _ in range(4)]
        for number, person in enumerate(people[:3]):
            stage.ask(person, b"%d\n" % number)
        (wire,) = stage.wires
        self.assertEqual(wire.take(), b"0\n")
        # One is answered, another may wait: it is not the one who comes just now.
        stage.say(wire, b"0\n")
        self.assertEqual(wire.take(), b"1\n")
        stage.ask(people[3], b"3\n")
        stage.ask(people[0], b"4\n")
        for expected in (b"2\n", b"3\n", b"4\n"):
            stage.say(wire, b"ok\n")
            self.assertEqual(wire.take(), expected)

    def test_their_time_runs(self) -> None:
        """With a target that is away, all are told in time, not one after another."""
        stage = Stage(queue=1, reachable=False)
        people = [stage.client() for _ in range(5)]
        for person in people:
            stage.ask(person, b"a\n")
        stage.fail(stage.wires[0])
        stage.advance(3)
        self.assertTrue(all(person.told for person in people))

    def test_they_are_read_no_further_than_needed(self) -> None:
        stage = Stage(queue=1)
        for _ in range(2):
            stage.ask(stage.client(), b"a\n")
        standing = stage.client()
        stage.ask(standing, b"a\n" * AHEAD)
        self.assertTrue(standing.held)

    def test_who_stands_may_leave(self) -> None:
        stage = Stage(queue=1)
        people = [stage.client() for _ in range(4)]
        for person in people:
            stage.ask(person, b"a\n")
        stage.leave(people[2])
        (wire,) = stage.wires
        for _ in range(3):
            self.assertEqual(wire.take(), b"a\n")
            stage.say(wire, b"A\n")
        self.assertEqual(wire.take(), b"")


class PromptTests(SynchronousTestCase):
    def test_who_waits_to_be_told_to_go_on_is_told(self) -> None:
        stage = Stage(Http())
        one = stage.client()
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
        stage.ask(one, head + b"Expect: 100-continue\r\n\r\n")
        self.assertEqual(one.heard, b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertEqual(stage.wires, [])
        stage.ask(one, b"ok")
        self.assertEqual(stage.wires[0].take()[-2:], b"ok")
