"""Tests for L{portmux.core.frame.iso8583}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import OPAQUE
from portmux.core.frame.iso8583 import Iso8583
from tests.core.frame.reading import at_every_cut, both, frames

SIGN_ON = b"\x00\x37" + b"0800" + b"8220000000000000" + b"0400000000000000"
SIGN_ON += b"1120125045" + b"000017" + b"301"
"""A network management request, as pyiso8583 encodes it, and its answer."""

ANSWER = b"\x00\x39" + b"0810" + b"8220000002000000" + b"0400000000000000"
ANSWER += b"1120125045" + b"000017" + b"00" + b"301"


class Iso8583Tests(SynchronousTestCase):
    def test_real_messages(self) -> None:
        both(Iso8583(), [SIGN_ON, ANSWER, SIGN_ON])

    def test_limits(self) -> None:
        """A message may be empty, and have all octets that a length can tell."""
        both(Iso8583(), [b"\0\0", b"\0\1x", b"\0\0"])
        longest = b"\xff\xff" + bytes(0xFFFF)
        found, wrong, held = frames(Iso8583().requests, longest + b"\0", (1, 2, 65536))
        self.assertEqual([frame.data for frame in found], [longest])
        self.assertEqual((wrong, held), (None, 1))

    def test_knows_nothing_more(self) -> None:
        self.assertIs(Iso8583().dialogue, OPAQUE)

    @given(st.binary(max_size=99))
    def test_any_bytes(self, data: bytes) -> None:
        """Nothing is lost or added, whatever comes."""
        found, wrong, held = at_every_cut(Iso8583().answers, data)
        size = sum(len(frame.data) for frame in found) + held
        self.assertEqual((wrong, size), (None, len(data)))
