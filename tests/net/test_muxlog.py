"""Tests for L{portmux.net.muxlog}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.mux.tally import Tally
from portmux.net.muxlog import MuxLog
from tests.net.logs import Logged


class MuxLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.tally = Clock(), Tally()
        self.logged = Logged(self, MuxLog)

    def test_numbers(self) -> None:
        """A line each time; the first one when there can be any."""
        log = MuxLog(60.0, octets=False)
        log.start(self.clock, "meter", self.tally)
        self.assertEqual(self.logged.lines, [])
        self.tally.results = {"answered": 3, "silent": 1}
        self.tally.open, self.tally.dialled, self.tally.queued = 1, 2, 5
        for seconds in (0.1, 0.2, 0.3):
            self.tally.answered.observe(seconds)
        log.clients = 7
        self.clock.advance(60.0)
        line = (
            "meter: 7 client(s), 1 connection(s) to targets of 2 that were tried,"
            " 3 of 4 request(s) answered, in 200.0 ms on average, 5 wait"
        )
        self.assertEqual(self.logged.lines, [("info", line)])
        self.clock.advance(60.0)
        self.assertEqual(len(self.logged.lines), 2)
        log.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_happened(self) -> None:
        """That can be told, too."""
        log = MuxLog(60.0, octets=False)
        log.start(self.clock, "meter", self.tally)
        self.clock.advance(60.0)
        self.assertIn("0 of 0 request(s) answered, in 0.0 ms", self.logged.lines[0][1])
        log.stop()
        log.stop()

    def test_not_wanted(self) -> None:
        log = MuxLog(None, octets=False)
        log.start(self.clock, "meter", self.tally)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        log.stop()

    def test_octets(self) -> None:
        """In hexadecimal, for who looks for faults."""
        logged = Logged(self, MuxLog, debug=True)
        MuxLog(None, octets=True).told("from client", 7, b"\0\x01\xff")
        self.assertEqual(logged.lines, [("debug", "from client 7: 00 01 ff")])
        self.assertEqual(self.logged.lines, [])
