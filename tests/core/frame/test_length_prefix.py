"""Tests for L{portmux.core.frame.length_prefix}."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import OPAQUE
from portmux.core.frame.length_prefix import LengthPrefix
from portmux.core.option import Octets
from tests.core.frame.reading import at_every_cut, both, fault

TPKT = [bytes.fromhex("0300000b06e00000000000"), bytes.fromhex("0300000702f080")]
"""RFC 1006: version, reserved, and a length that counts all."""

POSTGRES = [b"Q\0\0\0\x0eSELECT 1;\0", b"X\0\0\0\4"]
"""A type before a length that counts itself."""


class LengthPrefixTests(SynchronousTestCase):
    def test_real_frames(self) -> None:
        both(LengthPrefix(offset=2, counts="all"), TPKT)
        both(LengthPrefix(width=4, offset=1, counts="length"), POSTGRES)
        both(LengthPrefix(width=4, endian="little"), [b"\3\0\0\0abc", b"\0\0\0\0"])

    def test_widths(self) -> None:
        for width in range(1, 9):
            for endian in ("big", "little"):
                prefix = (5).to_bytes(width, endian)
                framer = LengthPrefix(width=width, endian=endian)
                both(framer, [prefix + b"12345", prefix + b"abcde"])

    def test_limit(self) -> None:
        """All of the frame counts, whatever the length does."""
        for counts in ("rest", "length", "all"):
            framer = LengthPrefix(width=1, offset=1, counts=counts, limit=Octets(6))
            uncounted = {"rest": 2, "length": 1, "all": 0}[counts]
            both(framer, [b"T%c1234" % (6 - uncounted)])
            self.assertEqual(
                fault(framer.requests, b"T%c" % (7 - uncounted)),
                "a frame of 7 octets, 6 are allowed",
            )
            self.assertIsNone(fault(framer.requests, b"T"))

    def test_too_short(self) -> None:
        """A length that counts itself is at least that."""
        framer = LengthPrefix(width=2, offset=1, counts="length")
        self.assertEqual(
            fault(framer.answers, b"T\0\1"), "a length of 1, 2 or more is allowed"
        )
        framer = LengthPrefix(width=2, offset=1, counts="all")
        self.assertEqual(
            fault(framer.answers, b"T\0\2"), "a length of 2, 3 or more is allowed"
        )

    def test_refused(self) -> None:
        for width in (0, 9):
            error = self.assertRaises(ValueError, LengthPrefix, width=width)
            self.assertEqual(str(error), f"{width} is not allowed, 1 to 8 octets are")

    def test_knows_nothing_more(self) -> None:
        self.assertIs(LengthPrefix().dialogue, OPAQUE)

    @given(
        st.binary(max_size=60),
        st.integers(1, 3),
        st.integers(0, 3),
        st.sampled_from(["rest", "length", "all"]),
    )
    def test_any_bytes(
        self,
        data: bytes,
        width: int,
        offset: int,
        counts: Literal["rest", "length", "all"],
    ) -> None:
        framer = LengthPrefix(
            width=width, offset=offset, counts=counts, limit=Octets(40)
        )
        at_every_cut(framer.requests, data)
