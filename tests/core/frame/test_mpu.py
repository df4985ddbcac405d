"""Tests for L{portmux.core.frame.mpu}."""

from __future__ import annotations

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import OPAQUE
from portmux.core.frame.mpu import Mpu
from portmux.testing import noise
from tests.core.frame.reading import at_every_cut, both, fault, frames


class MpuTests(SynchronousTestCase):
    def test_messages(self) -> None:
        both(Mpu(), [b"0003abc", b"0000", b"0124" + b"a" * 124])
        longest = b"9999" + bytes(9999)
        self.assertEqual(frames(Mpu().requests, longest, (3, 4, 5))[1:], (None, 0))

    def test_no_digits(self) -> None:
        """Known with the first octet that is none, which is told."""
        for data, shown in (
            (b"a", "a"),
            (b"12a4", "12a"),
            (b"anot", "a"),
            (b" 123", r"\x20"),
            (b"+123", "+"),
            (b"-001", "-"),
            (b"1\xb2", r"1\xb2"),
        ):
            text = f"a length that begins with {shown}, four digits are allowed"
            self.assertEqual(fault(Mpu().requests, data), text)
            self.assertEqual(fault(Mpu().answers, data + b"more"), text)

    def test_surplus(self) -> None:
        """It is the next message, or a wrong one; what was before it is not."""
        found = at_every_cut(Mpu().requests, b"0001aanother message")
        self.assertEqual([frame.data for frame in found[0]], [b"0001a"])
        self.assertIn("begins with a,", str(found[1]))

    def test_knows_nothing_more(self) -> None:
        self.assertIs(Mpu().dialogue, OPAQUE)

    @given(noise([b"0003abc0000", b"0010"]))
    def test_any_bytes(self, data: bytes) -> None:
        at_every_cut(Mpu().requests, data)
