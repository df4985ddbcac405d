"""Tests for L{portmux.core.asked}."""

from __future__ import annotations

import json

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.asked import Asked, as_json, as_text, shown

ASKED = Asked(
    time=1_700_000_000.25,
    number=7,
    listener="front",
    route="plc",
    client=Host("192.0.2.1", 40000),
    backend=Host("192.0.2.9", 502),
    unit="17",
    request=bytes.fromhex("00010000000611030001000a"),
    result="answered",
    sent=12,
    received=29,
    waited=0.0125,
    answered=0.25,
)


class AskedTests(SynchronousTestCase):
    def test_text(self) -> None:
        self.assertEqual(
            as_text(ASKED),
            "2023-11-14T22:13:20.250Z session=7 listener=front route=plc"
            " client=192.0.2.1:40000 backend=192.0.2.9:502 unit=17"
            " request=00010000000611030001000a sent=12 received=29"
            " waited=0.013 answered=0.250 result=answered",
        )

    def test_nobody_and_nothing(self) -> None:
        text = as_text(attrs.evolve(ASKED, backend=None, unit=None))
        self.assertIn(" backend=- request=", text)

    def test_json(self) -> None:
        told = json.loads(as_json(ASKED))
        self.assertEqual(
            (told["session"], told["unit"], told["waited"], told["result"]),
            (7, "17", 0.0125, "answered"),
        )

    def test_what_is_shown_of_a_request(self) -> None:
        self.assertEqual(
            shown(b"GET /a HTTP/1.1\r\nHost: b\r\n"), r"GET\x20/a\x20HTTP/1.1"
        )
        self.assertEqual(shown(b"\x00\x01"), "0001")
        self.assertEqual(shown(b""), "")
        self.assertEqual(len(shown(bytes(1000))), 96)
