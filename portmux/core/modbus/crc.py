"""The checksum of Modbus on serial lines."""

from __future__ import annotations

from typing import Final

_POLYNOMIAL: Final = 0xA001


def _row(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ (_POLYNOMIAL if octet & 1 else 0)
    return octet


_TABLE: Final = tuple(map(_row, range(256)))


def crc(octets: bytes) -> int:
    """
    @return: 16 bits, sent with the low octet first; 0 over a frame with its own.
    @see: MODBUS over Serial Line V1.02, section 6.2.2.
    """
    table, value = _TABLE, 0xFFFF
    for octet in octets:
        value = value >> 8 ^ table[(value ^ octet) & 0xFF]
    return value
