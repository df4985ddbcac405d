"""Tests for L{portmux.control.watching}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.flow import Flow
from portmux.control.turns import Turns
from portmux.control.watching import Watching, as_line, notification
from tests.control.stage import Office, Wire

EVENT = {
    "event": "session",
    "client": "127.0.0.1:5",
    "facts": {"sni": "a"},
    "why": "x\ny",
}


class WatchingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.office, self.wire = Office(), Wire()
        self.flow = Flow(self.wire, Clock(), Turns(), lambda: None)
        self.watching = Watching(self.office, self.flow, as_line)

    def test_told(self) -> None:
        self.office.hub.publish({"event": "a"})
        self.watching.stop()
        self.office.hub.publish({"event": "b"})
        self.assertEqual(self.wire.heard(), "\ta\n")

    def test_missed(self) -> None:
        """Only who reads is told, and how much it has missed."""
        self.flow.pauseProducing()
        for _ in range(3):
            self.office.hub.publish({"event": "a"})
        self.flow.resumeProducing()
        self.watching.resume()
        self.watching.resume()
        self.office.hub.publish({"event": "b"})
        self.assertEqual(self.wire.heard(), "\tmissed events=3\n\tb\n")

    def test_closing(self) -> None:
        self.flow.close()
        self.office.hub.publish({"event": "a"})
        self.assertEqual(self.wire.heard(), "")

    def test_forged(self) -> None:
        """What a client says is no pair of its own; what is empty is left out."""
        event = {"event": "session", "facts": {"path": '/ end="done'}, "hint": None}
        self.assertEqual(as_line(event).decode(), '\tsession path="/ end=\\"done"\n')

    def test_spelled(self) -> None:
        """One line each, whatever somebody has said."""
        line = as_line(EVENT).decode()
        self.assertEqual((line.count("\n"), line[0]), (1, "\t"))
        self.assertEqual(line, "\tsession client=127.0.0.1:5 sni=a why=x?y\n")
        self.assertEqual(notification(EVENT).count(b"\n"), 0)
