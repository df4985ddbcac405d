"""How Modbus messages are carried: over TCP, or as on a serial line."""

from __future__ import annotations

from typing import Protocol

from portmux.core.modbus.crc import crc


class Carrier(Protocol):
    """Knows where the unit and the message stand in a frame."""

    def unit(self, frame: bytes) -> int:
        """@return: whom the frame is for, or from."""

    def pdu(self, frame: bytes) -> bytes:
        """@return: function code and data; empty in a frame without."""

    def frame(self, like: bytes, unit: int, pdu: bytes) -> bytes:
        """
        @param like: a frame whose number the new one has.
        @return: a frame.
        """


class Mbap:
    """
    MODBUS Messaging on TCP/IP V1.0b, section 3.1.3.

    Transaction (two octets), protocol (two), length of the rest (two), unit.
    """

    def unit(self, frame: bytes) -> int:
        return frame[6]

    def pdu(self, frame: bytes) -> bytes:
        return frame[7:]

    def frame(self, like: bytes, unit: int, pdu: bytes) -> bytes:
        length = (1 + len(pdu)).to_bytes(2, "big")
        return b"%b%b%c%b" % (like[:4], length, unit, pdu)


class Rtu:
    """MODBUS over Serial Line V1.02, section 2.5.1: unit, message, CRC."""

    def unit(self, frame: bytes) -> int:
        return frame[0]

    def pdu(self, frame: bytes) -> bytes:
        return frame[1:-2]

    def frame(self, like: bytes, unit: int, pdu: bytes) -> bytes:
        body = b"%c%b" % (unit, pdu)
        return body + crc(body).to_bytes(2, "little")


MBAP = Mbap()
RTU = Rtu()
