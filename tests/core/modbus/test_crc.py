"""Tests for L{portmux.core.modbus.crc}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.modbus.crc import crc
from tests.core.modbus.frames import PAIRS


class CrcTests(SynchronousTestCase):
    def test_example_of_the_specification(self) -> None:
        """MODBUS over Serial Line V1.02, section 6.2.2: 02 07 has 41 12."""
        self.assertEqual(crc(b"\x02\x07"), 0x1241)

    def test_real_frames(self) -> None:
        for name, pair in PAIRS.items():
            for frame in pair:
                self.assertEqual(crc(frame), 0, name)

    @given(st.binary(min_size=1, max_size=64), st.integers(0, 511))
    def test_notices_one_wrong_bit(self, data: bytes, at: int) -> None:
        frame = bytearray(data + crc(data).to_bytes(2, "little"))
        frame[at // 8 % len(frame)] ^= 1 << at % 8
        self.assertNotEqual(crc(bytes(frame)), 0)
