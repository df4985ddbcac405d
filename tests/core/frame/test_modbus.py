"""Tests for L{portmux.core.frame.modbus}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.modbus import Modbus
from portmux.core.modbus.dialogue import TcpDialogue
from portmux.testing import noise
from tests.core.frame.reading import at_every_cut, both, fault, frames
from tests.core.modbus.frames import PAIRS, over_tcp, tcp
from tests.openings import OPENINGS

STREAM = [over_tcp(frame) for pair in PAIRS.values() for frame in pair]


class ModbusTests(SynchronousTestCase):
    def test_real_frames(self) -> None:
        both(Modbus(), STREAM)
        both(Modbus(), [OPENINGS["modbus-tcp"]])

    def test_limits(self) -> None:
        """1 and 254 pass; 0 and 255 are faults, known with the sixth octet."""
        both(Modbus(), [tcp(1, 1, b"").data, tcp(2, 1, bytes(253)).data])
        for make in (Modbus().requests, Modbus().answers):
            for length in (0, 255, 0xFFFF):
                head = b"\0\1\0\0" + length.to_bytes(2, "big")
                text = f"a length of {length}, 1 to 254 are allowed"
                self.assertEqual(fault(make, head), text)
                self.assertEqual(fault(make, head + bytes(300)), text)
                self.assertIsNone(fault(make, head[:5]))

    def test_any_protocol(self) -> None:
        """What is not 0 there, some gateways have made up; it is passed on."""
        both(Modbus(), [b"\0\1\xab\xcd\0\2\1\7"])

    def test_dialogue(self) -> None:
        self.assertEqual(Modbus().dialogue, TcpDialogue("rewrite"))
        self.assertEqual(Modbus(transactions="keep").dialogue, TcpDialogue("keep"))

    @given(noise(STREAM), st.sets(st.integers(1, 260)))
    def test_any_bytes(self, data: bytes, cuts: set[int]) -> None:
        whole = at_every_cut(Modbus().requests, data)
        self.assertEqual(frames(Modbus().answers, data, cuts), whole)
