"""Tests for L{portmux.core.frame.delimiter}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.delimiter import LONGEST, Delimiter
from portmux.core.frame.framer import OPAQUE
from portmux.core.option import Octets
from tests.core.frame.reading import at_every_cut, both, fault

NMEA = [
    b"$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n",
    b"$GPGSA,A,3,10,07,05,02,29,04,08,13,,,,,1.72,1.03,1.38*0A\r\n",
]
"""Sentences of a receiver."""

SCPI = [b"*IDN?\n", b"MEAS:VOLT:DC?\n", b"+1.04530000E+00\n"]
"""A question to an instrument, another one, and what it measures."""


class DelimiterTests(SynchronousTestCase):
    def test_real_frames(self) -> None:
        both(Delimiter(b"\r\n"), NMEA)
        both(Delimiter(b"\n"), SCPI)

    def test_only_all_of_it(self) -> None:
        both(Delimiter(b"\r\n"), [b"a\rb\nc\r\n", b"\r\r\n"])

    def test_limit(self) -> None:
        """The end counts."""
        framer = Delimiter(b"\r\n", limit=Octets(4))
        both(framer, [b"ab\r\n", b"a\r\n"])
        for make in (framer.requests, framer.answers):
            self.assertEqual(fault(make, b"abc\r\n"), "a frame of more than 4 octets")

    def test_refused(self) -> None:
        """Without a delimiter nothing would end."""
        error = self.assertRaises(ValueError, Delimiter, b"")
        self.assertEqual(str(error), f"has 0 octets, 1 to {LONGEST} are allowed")
        self.assertRaises(ValueError, Delimiter, bytes(LONGEST + 1))
        Delimiter(bytes(LONGEST))

    def test_knows_nothing_more(self) -> None:
        self.assertIs(Delimiter(b"\n").dialogue, OPAQUE)

    @given(st.text("ab", max_size=40), st.sampled_from([b"a", b"ab", b"aab", b"aa"]))
    def test_as_split_does(self, text: str, delimiter: bytes) -> None:
        """Also where a delimiter could begin within another one."""
        data = text.encode()
        found, _, held = at_every_cut(Delimiter(delimiter).requests, data)
        pieces = data.split(delimiter)
        expected = [piece + delimiter for piece in pieces[:-1]]
        self.assertEqual([frame.data for frame in found], expected)
        self.assertEqual(held, len(pieces[-1]))
