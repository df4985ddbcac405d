"""Tests for L{portmux.core.modbus.span}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.modbus.carrier import RTU
from portmux.core.modbus.span import Span, Table, read_span, touched, written
from tests.core.modbus.frames import PAIRS

COILS, HOLDING = Table.COILS, Table.HOLDING_REGISTERS

PDUS = {name: RTU.pdu(request) for name, (request, _) in PAIRS.items()}


class SpanTests(SynchronousTestCase):
    def test_reads(self) -> None:
        """Of the real requests those of the four tables."""
        found = {name: read_span(pdu) for name, pdu in PDUS.items() if read_span(pdu)}
        self.assertEqual(
            found,
            {
                "READ_COILS": Span(COILS, 19, 37),
                "READ_DISCRETE_INPUTS": Span(Table.DISCRETE_INPUTS, 196, 22),
                "READ_HOLDING_REGISTERS": Span(HOLDING, 107, 3),
                "READ_INPUT_REGISTERS": Span(Table.INPUT_REGISTERS, 8, 1),
                "EXCEPTION": Span(HOLDING, 0, 1),
            },
        )

    def test_wrong_reads(self) -> None:
        """Those that a device has to refuse; the last ones that it may not."""
        for text in ("", "03", "0300000000", "030000007e", "03ffff0002", "01000007d1"):
            self.assertIsNone(read_span(bytes.fromhex(text)), text)
        self.assertIsNone(read_span(bytes.fromhex("030000000100")))
        for text in ("030000007d", "03ffff0001", "01000007d0"):
            self.assertIsNotNone(read_span(bytes.fromhex(text)), text)

    def test_writes(self) -> None:
        found = {name: written(pdu) for name, pdu in PDUS.items() if written(pdu)}
        self.assertEqual(
            found,
            {
                "WRITE_COIL": (Span(COILS, 172, 1),),
                "WRITE_REGISTER": (Span(HOLDING, 1, 1),),
                "WRITE_COILS": (Span(COILS, 19, 10),),
                "WRITE_REGISTERS": (Span(HOLDING, 1, 2),),
                "MASK_WRITE_REGISTER": (Span(HOLDING, 4, 1),),
                "READ_WRITE_REGISTERS": (Span(HOLDING, 14, 3),),
            },
        )
        unknown = {name for name, pdu in PDUS.items() if written(pdu) is None}
        self.assertEqual(unknown, {"DIAGNOSTICS", "WRITE_FILE"})
        for pdu in (b"\x41", b"\x06\0", b"\x10\0\0\0", b"\x2b\x0d"):
            self.assertIsNone(written(pdu), pdu)

    def test_touched(self) -> None:
        """What is read and what is written; nothing, or nobody knows."""
        self.assertEqual(
            touched(PDUS["READ_WRITE_REGISTERS"]),
            (Span(HOLDING, 3, 6), Span(HOLDING, 14, 3)),
        )
        self.assertEqual(touched(PDUS["READ_COILS"]), (Span(COILS, 19, 37),))
        self.assertEqual(touched(PDUS["READ_FIFO"]), (Span(HOLDING, 1246, 1),))
        nothing = {name for name, pdu in PDUS.items() if touched(pdu) == ()}
        self.assertEqual(
            nothing,
            {
                "READ_EXCEPTION_STATUS",
                "DIAGNOSTICS",
                "GET_EVENT_COUNTER",
                "GET_EVENT_LOG",
                "REPORT_SERVER_ID",
                "READ_FILE",
                "WRITE_FILE",
                "ENCAPSULATED",
            },
        )
        for pdu in (b"\x41", b"\x03\0", b"\x17\0\0\0\0", b"\x2b\x0d"):
            self.assertIsNone(touched(pdu), pdu)

    def test_a_wrong_read_touches_all_it_says(self) -> None:
        """A rule must not be passed by what a lenient device may still answer."""
        self.assertEqual(
            touched(bytes.fromhex("030000ffff")), (Span(HOLDING, 0, 65535),)
        )

    @given(st.binary(max_size=12))
    def test_any_bytes(self, pdu: bytes) -> None:
        """What only reads changes nothing."""
        span = read_span(pdu)
        if span is not None:
            self.assertEqual((written(pdu), touched(pdu)), ((), (span,)))
        self.assertIsInstance(written(pdu) or (), tuple)
        self.assertIsInstance(touched(pdu) or (), tuple)
