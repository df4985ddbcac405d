"""Tests for L{portmux.control.requests}."""

from __future__ import annotations

from portmux.control import commands
from portmux.control.requests import requests
from portmux.core.address import Host
from portmux.core.mux.tally import Tally
from tests.control.test_handlers import HandlerCase


class RequestsTests(HandlerCase):
    def test_none(self) -> None:
        self.office.listener("front", Host("10.0.0.1", 80))
        self.assertEqual(self.rows("requests"), [])

    def test_numbers(self) -> None:
        """Of each route that shares its connections."""
        self.office.listener("front", Host("10.0.0.1", 80))
        (standing,) = self.office.listeners().values()
        tally = standing.policy.counts.mux("plc", Tally)
        for word in ("answered", "answered", "shared", "silent", "left"):
            tally.result(word, None)
        tally.open, tally.queued, tally.unsolicited = 1, 2, 3
        tally.waited.observe(0.25)
        tally.waited.observe(0.75)
        (row,) = self.rows("requests")
        self.assertEqual(row["route"], "front/plc")
        self.assertEqual((row["requests"], row["failed"]), (5, 1))
        self.assertEqual((row["connections"], row["queued"]), (1, 2))
        self.assertEqual((row["unsolicited"], row["waited"]), (3, 0.5))
        self.assertEqual(row["answered"], 0.0)

    def test_as_it_is_called(self) -> None:
        self.assertEqual(requests(self.office, commands.Requests()).result, [])
