"""Tests for L{portmux.core.modbus.carrier}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.modbus.carrier import MBAP, RTU
from tests.core.modbus.frames import PAIRS


class CarrierTests(SynchronousTestCase):
    def test_over_tcp(self) -> None:
        """MODBUS Messaging on TCP/IP V1.0b, section 4.4.1.1, its example."""
        frame = bytes.fromhex("150100000006ff0300050001")
        self.assertEqual(MBAP.unit(frame), 0xFF)
        self.assertEqual(MBAP.pdu(frame), bytes.fromhex("0300050001"))
        self.assertEqual(
            MBAP.frame(frame, 17, b"\x83\x0b"), bytes.fromhex("15010000000311830b")
        )
        self.assertEqual(MBAP.pdu(bytes.fromhex("150100000001ff")), b"")

    def test_as_on_a_serial_line(self) -> None:
        """What is taken apart is the same when it is put together."""
        for name, pair in PAIRS.items():
            for frame in pair:
                unit, pdu = RTU.unit(frame), RTU.pdu(frame)
                self.assertEqual(unit, 17)
                self.assertEqual(RTU.frame(b"", unit, pdu), frame, name)
