"""Tests for L{portmux.core.modbus.rtu}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.reading import Measure
from portmux.core.modbus.rtu import LONGEST, answer_size, check, request_size
from portmux.errors import Malformed
from tests.core.modbus.frames import PAIRS


def told(measure: Measure, frame: bytes) -> int | str | None:
    """@return: the length or the fault, as soon as one is known."""
    for size in range(len(frame) + 1):
        try:
            found = measure(bytearray(frame[:size]))
        except Malformed as fault:
            return str(fault)
        if found is not None:
            return found
    return None


class SizeTests(SynchronousTestCase):
    def test_real_frames(self) -> None:
        """Each function tells its length before the frame is whole, and stays by it."""
        for name, (request, answer) in PAIRS.items():
            for measure, frame in ((request_size, request), (answer_size, answer)):
                self.assertEqual(told(measure, frame[:-2]), len(frame), name)
                self.assertEqual(measure(bytearray(frame + b"\xff")), len(frame), name)

    def test_unknown(self) -> None:
        """A message whose end nobody knows is no message."""
        for measure, head, text in (
            (request_size, "1141", "function 65, of which no length is known"),
            (answer_size, "1141", "function 65, of which no length is known"),
            (request_size, "1183", "function 131, of which no length is known"),
            (request_size, "112b0d", "interface 13, of which no length is known"),
            (answer_size, "112b0d", "interface 13, of which no length is known"),
        ):
            self.assertEqual(told(measure, bytes.fromhex(head)), text)

    def test_limit(self) -> None:
        """A frame has 256 octets at most, whatever a count says."""
        text = f"a frame of 257 octets, {LONGEST} are allowed"
        self.assertEqual(told(request_size, b"\x11\x10" + bytes(4) + b"\xf7"), LONGEST)
        self.assertEqual(told(request_size, b"\x11\x10" + bytes(4) + b"\xf8"), text)
        self.assertEqual(told(answer_size, b"\x11\x03\xfb"), LONGEST)
        self.assertEqual(told(answer_size, b"\x11\x03\xfc"), text)
        self.assertEqual(told(answer_size, b"\x11\x18\x00\xfa"), LONGEST)
        self.assertEqual(told(answer_size, b"\x11\x18\x00\xfb"), text)
        objects = b"\x11\x2b\x0e\x01\x01\x00\x00\x01\x00"
        self.assertEqual(told(answer_size, objects + b"\xf4"), LONGEST)
        self.assertEqual(told(answer_size, objects + b"\xf5"), text)

    def test_an_identification_in_parts(self) -> None:
        """Each object has its own length."""
        head = b"\x11\x2b\x0e\x01\x01\x00\x00\x02"
        self.assertEqual(told(answer_size, head + b"\x00\x01x\x01"), None)
        self.assertEqual(told(answer_size, head + b"\x00\x01x\x01\x00"), 15)


class CheckTests(SynchronousTestCase):
    def test_checksum(self) -> None:
        check(bytes.fromhex("11030000000186 9a"))
        error = self.assertRaises(Malformed, check, bytes.fromhex("110300000001869b"))
        self.assertEqual(str(error), "a CRC of 9b86, 9a86 is right")
