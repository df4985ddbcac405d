"""Tests for L{portmux.core.frame.modbus_rtu}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.modbus_rtu import ModbusRtu
from portmux.core.modbus.dialogue import SerialDialogue
from portmux.testing import noise
from tests.core.frame.reading import at_every_cut, fault, frames, read
from tests.core.modbus.frames import PAIRS

REQUESTS = [request for request, _ in PAIRS.values()]
ANSWERS = [answer for _, answer in PAIRS.values()]


class ModbusRtuTests(SynchronousTestCase):
    def test_real_frames(self) -> None:
        """Nothing but their functions separates them."""
        self.assertEqual(read(ModbusRtu().requests, b"".join(REQUESTS)), REQUESTS)
        self.assertEqual(read(ModbusRtu().answers, b"".join(ANSWERS)), ANSWERS)

    def test_wrong_checksum(self) -> None:
        """A frame that arrived with a wrong bit is none, and nothing is behind it."""
        wrong = REQUESTS[0][:-1] + b"\0"
        found = at_every_cut(ModbusRtu().requests, REQUESTS[1] + wrong + REQUESTS[2])
        self.assertEqual(
            ([frame.data for frame in found[0]], found[1]),
            ([REQUESTS[1]], "a CRC of 000e, 840e is right"),
        )
        self.assertTrue(fault(ModbusRtu().answers, ANSWERS[0][:-1] + b"\0"))

    def test_unknown_function(self) -> None:
        """Known at once."""
        text = "function 100, of which no length is known"
        for make in (ModbusRtu().requests, ModbusRtu().answers):
            self.assertEqual(fault(make, b"\x11\x64"), text)

    def test_dialogue(self) -> None:
        self.assertEqual(ModbusRtu().dialogue, SerialDialogue())

    @given(noise([*REQUESTS, *ANSWERS]), st.sets(st.integers(1, 260)))
    def test_any_bytes(self, data: bytes, cuts: set[int]) -> None:
        for make in (ModbusRtu().requests, ModbusRtu().answers):
            self.assertEqual(frames(make, data, cuts), at_every_cut(make, data))
