"""Tests for L{portmux.core.modbus.pdu}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.modbus.pdu import Function, exception, reads


class PduTests(SynchronousTestCase):
    def test_reads(self) -> None:
        """Only what is known to change nothing."""
        found = {function.name for function in Function if reads(bytes((function, 1)))}
        self.assertEqual(
            found,
            {
                "READ_COILS",
                "READ_DISCRETE_INPUTS",
                "READ_HOLDING_REGISTERS",
                "READ_INPUT_REGISTERS",
                "READ_EXCEPTION_STATUS",
                "GET_EVENT_COUNTER",
                "GET_EVENT_LOG",
                "REPORT_SERVER_ID",
                "READ_FILE",
                "READ_FIFO",
            },
        )
        self.assertTrue(reads(b"\x2b\x0e\x01\x00"))
        for pdu in (b"", b"\x2b", b"\x2b\x0d\x00", b"\x41", b"\x83\x01"):
            self.assertFalse(reads(pdu), pdu)

    def test_exception(self) -> None:
        self.assertEqual(exception(b"\x03\x00\x00\x00\x01", 11), b"\x83\x0b")
        self.assertIsNone(exception(b"", 11))
        self.assertIsNone(exception(b"\x83\x0b", 11))
