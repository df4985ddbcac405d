"""
How long a Modbus message on a serial line is: only its function tells.

On the line silence ends a message; over TCP there is none that one could hear.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from portmux.core.modbus.crc import crc
from portmux.core.modbus.pdu import EXCEPTION, Function
from portmux.errors import Malformed

LONGEST: Final = 256
"""Octets of a frame: MODBUS over Serial Line V1.02, section 2.5.1."""

_CRC: Final = 2

_REFUSED: Final = 5
"""Octets of a frame with an exception."""

_IDENTIFICATION: Final = 14
"""The interface (MEI type) whose messages have a known form."""


@attrs.frozen(slots=True)
class _Rule:
    """
    @ivar octets: of the frame, CRC included, without what a count tells.
    @ivar at: where the count stands; None: there is none.
    @ivar width: octets of the count.
    """

    octets: int
    at: int | None = None
    width: int = 1


_F = Function

_REQUESTS: Final[Mapping[int, _Rule]] = {
    _F.READ_COILS: _Rule(8),
    _F.READ_DISCRETE_INPUTS: _Rule(8),
    _F.READ_HOLDING_REGISTERS: _Rule(8),
    _F.READ_INPUT_REGISTERS: _Rule(8),
    _F.WRITE_COIL: _Rule(8),
    _F.WRITE_REGISTER: _Rule(8),
    _F.READ_EXCEPTION_STATUS: _Rule(4),
    _F.DIAGNOSTICS: _Rule(8),
    _F.GET_EVENT_COUNTER: _Rule(4),
    _F.GET_EVENT_LOG: _Rule(4),
    _F.WRITE_COILS: _Rule(9, at=6),
    _F.WRITE_REGISTERS: _Rule(9, at=6),
    _F.REPORT_SERVER_ID: _Rule(4),
    _F.READ_FILE: _Rule(5, at=2),
    _F.WRITE_FILE: _Rule(5, at=2),
    _F.MASK_WRITE_REGISTER: _Rule(10),
    _F.READ_WRITE_REGISTERS: _Rule(13, at=10),
    _F.READ_FIFO: _Rule(6),
}

_ANSWERS: Final[Mapping[int, _Rule]] = {
    _F.READ_COILS: _Rule(5, at=2),
    _F.READ_DISCRETE_INPUTS: _Rule(5, at=2),
    _F.READ_HOLDING_REGISTERS: _Rule(5, at=2),
    _F.READ_INPUT_REGISTERS: _Rule(5, at=2),
    _F.WRITE_COIL: _Rule(8),
    _F.WRITE_REGISTER: _Rule(8),
    _F.READ_EXCEPTION_STATUS: _Rule(5),
    _F.DIAGNOSTICS: _Rule(8),
    _F.GET_EVENT_COUNTER: _Rule(8),
    _F.GET_EVENT_LOG: _Rule(5, at=2),
    _F.WRITE_COILS: _Rule(8),
    _F.WRITE_REGISTERS: _Rule(8),
    _F.REPORT_SERVER_ID: _Rule(5, at=2),
    _F.READ_FILE: _Rule(5, at=2),
    _F.WRITE_FILE: _Rule(5, at=2),
    _F.MASK_WRITE_REGISTER: _Rule(10),
    _F.READ_WRITE_REGISTERS: _Rule(5, at=2),
    _F.READ_FIFO: _Rule(6, at=2, width=2),
}


def request_size(data: bytes | bytearray) -> int | None:
    """
    A L{portmux.core.frame.reading.Measure}.

    @raise Malformed: no function whose length is known.
    """
    if len(data) < 2:
        return None
    if data[1] == Function.ENCAPSULATED:
        return _identified(data, 7)
    return _measure(_REQUESTS, data)


def answer_size(data: bytes | bytearray) -> int | None:
    """
    A L{portmux.core.frame.reading.Measure}.

    @raise Malformed: no function whose length is known.
    """
    if len(data) < 2:
        return None
    if data[1] & EXCEPTION:
        return _REFUSED
    if data[1] == Function.ENCAPSULATED:
        size = _identified(data, 8)
        return None if size is None else _objects(data, size)
    return _measure(_ANSWERS, data)


def check(frame: bytes) -> None:
    """@raise Malformed: the checksum is not that of the frame."""
    if crc(frame):
        own = int.from_bytes(frame[-_CRC:], "little")
        right = crc(frame[:-_CRC])
        raise Malformed(f"a CRC of {own:04x}, {right:04x} is right")


def _measure(rules: Mapping[int, _Rule], data: bytes | bytearray) -> int | None:
    rule = rules.get(data[1])
    if rule is None:
        raise Malformed(f"function {data[1]}, of which no length is known")
    if rule.at is None:
        return rule.octets
    end = rule.at + rule.width
    if len(data) < end:
        return None
    return _bounded(rule.octets + int.from_bytes(data[rule.at : end], "big"))


def _identified(data: bytes | bytearray, size: int) -> int | None:
    """@return: C{size} if what is asked for is the device's identification."""
    if len(data) < 3:
        return None
    if data[2] != _IDENTIFICATION:
        raise Malformed(f"interface {data[2]}, of which no length is known")
    return size


def _objects(data: bytes | bytearray, at: int) -> int | None:
    """Section 6.21: how many, and each with an id and a length."""
    if len(data) < at:
        return None
    for _ in range(data[at - 1]):
        if len(data) < at + 2:
            return None
        at += 2 + data[at + 1]
        _bounded(at + _CRC)
    return _bounded(at + _CRC)


def _bounded(size: int) -> int:
    if size > LONGEST:
        raise Malformed(f"a frame of {size} octets, {LONGEST} are allowed")
    return size
