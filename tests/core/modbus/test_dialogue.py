"""Tests for L{portmux.core.modbus.dialogue}."""

from __future__ import annotations

from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame, Trouble
from portmux.core.modbus.dialogue import SerialDialogue, TcpDialogue
from tests.core.modbus.frames import PAIRS, over_tcp, rtu, tcp

READ = b"\x03\x00\x00\x00\x01"
ANSWER = b"\x03\x02\x00\x07"
SERIAL = SerialDialogue()


class TransactionTests(SynchronousTestCase):
    def test_rewritten(self) -> None:
        """The target sees our number, the client its own."""
        dialogue = TcpDialogue()
        request = tcp(7, 1, READ)
        sent = dialogue.outgoing(request, 0xABCD)
        self.assertEqual(sent, tcp(0xABCD, 1, READ))
        self.assertEqual((dialogue.numbered, dialogue.number(sent)), (True, 0xABCD))
        answer = tcp(0xABCD, 1, ANSWER)
        self.assertIsNone(dialogue.mismatch(sent, answer))
        self.assertEqual(dialogue.incoming(request, answer), tcp(7, 1, ANSWER))

    def test_kept(self) -> None:
        """The target sees the client's id, which must come back."""
        dialogue = TcpDialogue("keep")
        request, answer = tcp(7, 1, READ), tcp(7, 1, ANSWER)
        self.assertIs(dialogue.outgoing(request, 0xABCD), request)
        self.assertFalse(dialogue.numbered)
        self.assertIsNone(dialogue.mismatch(request, answer))
        self.assertIs(dialogue.incoming(request, answer), answer)
        self.assertEqual(
            dialogue.mismatch(request, tcp(8, 1, ANSWER)), "transaction 8 instead of 7"
        )

    def test_ignored(self) -> None:
        """The target may answer with any id, the client still gets its own."""
        dialogue = TcpDialogue("ignore")
        request, answer = tcp(7, 1, READ), tcp(0, 1, ANSWER)
        self.assertIs(dialogue.outgoing(request, 0xABCD), request)
        self.assertFalse(dialogue.numbered)
        self.assertIsNone(dialogue.mismatch(request, answer))
        self.assertEqual(dialogue.incoming(request, answer), tcp(7, 1, ANSWER))
        self.assertEqual(
            dialogue.mismatch(request, tcp(0, 2, ANSWER)), "unit 2 instead of 1"
        )


class UnitTests(SynchronousTestCase):
    UNITS: ClassVar[dict[int, int]] = {1: 17}

    def test_renamed(self) -> None:
        """The target is told its own number, the client hears what it has said."""
        for transactions, number in (("rewrite", 9), ("keep", 7), ("ignore", 7)):
            dialogue = TcpDialogue(transactions, self.UNITS)  # type: ignore[arg-type]
            request = tcp(7, 1, READ)
            sent = dialogue.outgoing(request, 9)
            self.assertEqual(sent, tcp(number, 17, READ))
            answer = tcp(number, 17, ANSWER)
            self.assertIsNone(dialogue.mismatch(sent, answer))
            self.assertEqual(dialogue.incoming(request, answer), tcp(7, 1, ANSWER))
            self.assertEqual(
                dialogue.mismatch(sent, tcp(number, 1, ANSWER)), "unit 1 instead of 17"
            )

    def test_renamed_on_a_serial_line(self) -> None:
        """With the checksum that belongs to it."""
        dialogue, request = SerialDialogue(self.UNITS), rtu(1, READ)
        sent, answer = dialogue.outgoing(request, 0), rtu(17, ANSWER)
        self.assertEqual(sent, rtu(17, READ))
        self.assertIsNone(dialogue.mismatch(sent, answer))
        self.assertEqual(dialogue.incoming(request, answer), rtu(1, ANSWER))

    def test_others(self) -> None:
        """They stay what they are."""
        dialogue, request = TcpDialogue("keep", self.UNITS), tcp(7, 2, READ)
        self.assertEqual(dialogue.outgoing(request, 9), request)
        self.assertEqual(
            dialogue.incoming(request, tcp(7, 2, ANSWER)), tcp(7, 2, ANSWER)
        )
        serial, request = SerialDialogue(self.UNITS), rtu(2, READ)
        self.assertIs(serial.outgoing(request, 0), request)


class MatchTests(SynchronousTestCase):
    def test_real_frames(self) -> None:
        """Each answer fits its own request, a refusal included."""
        dialogue = TcpDialogue()
        for name, (request, answer) in PAIRS.items():
            one, other = Frame(over_tcp(request)), Frame(over_tcp(answer))
            self.assertIsNone(dialogue.mismatch(one, other), name)
            self.assertIsNone(SERIAL.mismatch(Frame(request), Frame(answer)), name)

    def test_mismatch(self) -> None:
        """Transaction, unit and function are those of the request."""
        sent = tcp(7, 1, READ)
        for answer, text in (
            (tcp(6, 1, ANSWER), "transaction 6 instead of 7"),
            (tcp(7, 255, ANSWER), "unit 255 instead of 1"),
            (tcp(7, 1, b"\x04\x02\x00\x07"), "function 4 instead of 3"),
            (tcp(7, 1, b"\x84\x02"), "function 132 instead of 3"),
            (tcp(7, 1, b""), "function none instead of 3"),
        ):
            self.assertEqual(TcpDialogue().mismatch(sent, answer), text)
        self.assertIsNone(TcpDialogue().mismatch(sent, tcp(7, 1, b"\x83\x02")))
        self.assertEqual(
            SERIAL.mismatch(rtu(1, READ), rtu(2, ANSWER)), "unit 2 instead of 1"
        )
        self.assertEqual(
            SERIAL.mismatch(rtu(1, READ), rtu(1, b"\x01\x01\x00")),
            "function 1 instead of 3",
        )

    def test_without_function(self) -> None:
        """A frame may end behind the unit; its answer does so, too."""
        self.assertIsNone(TcpDialogue().mismatch(tcp(7, 1, b""), tcp(7, 1, b"")))
        self.assertEqual(
            TcpDialogue().mismatch(tcp(7, 1, b""), tcp(7, 1, ANSWER)),
            "function 3 instead of none",
        )


class KindTests(SynchronousTestCase):
    def test_repeatable(self) -> None:
        """Reads are, whatever carries them; writes never."""
        write = b"\x06\x00\x01\x00\x03"
        self.assertTrue(TcpDialogue().repeatable(tcp(7, 1, READ)))
        self.assertFalse(TcpDialogue().repeatable(tcp(7, 1, write)))
        self.assertTrue(SERIAL.repeatable(rtu(1, READ)))
        self.assertFalse(SERIAL.repeatable(rtu(1, write)))

    def test_broadcast(self) -> None:
        """On a serial line nobody answers for all; over TCP unit 0 is the device."""
        self.assertFalse(SERIAL.answered(rtu(0, b"\x06\x00\x01\x00\x03")))
        self.assertTrue(SERIAL.answered(rtu(1, b"\x06\x00\x01\x00\x03")))
        self.assertTrue(TcpDialogue().answered(tcp(7, 0, READ)))

    def test_not_numbered(self) -> None:
        """Frames of a serial line are passed on as they are."""
        request, answer = rtu(1, READ), rtu(1, ANSWER)
        self.assertFalse(SERIAL.numbered)
        self.assertIsNone(SERIAL.number(request))
        self.assertIs(SERIAL.outgoing(request, 5), request)
        self.assertIs(SERIAL.incoming(request, answer), answer)


class FailureTests(SynchronousTestCase):
    def test_exception(self) -> None:
        """With the ids of the request."""
        for trouble, code in (
            (Trouble.UNREACHABLE, 0x0A),
            (Trouble.SILENT, 0x0B),
            (Trouble.BROKEN, 0x0B),
        ):
            pdu = bytes((0x83, code))
            self.assertEqual(
                TcpDialogue().failure(tcp(7, 1, READ), trouble), tcp(7, 1, pdu)
            )
            self.assertEqual(SERIAL.failure(rtu(1, READ), trouble), rtu(1, pdu))

    def test_none(self) -> None:
        """Nothing can be said without a function, nor to who expects no answer."""
        self.assertIsNone(TcpDialogue().failure(tcp(7, 1, b""), Trouble.SILENT))
        self.assertIsNone(SERIAL.failure(rtu(0, b"\x06abcd"), Trouble.SILENT))
