"""
What a Modbus message asks for, whatever carries it.

@see: MODBUS Application Protocol Specification V1.1b3, sections 4 to 7.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Function(IntEnum):
    """Function codes, section 5.1."""

    READ_COILS = 1
    READ_DISCRETE_INPUTS = 2
    READ_HOLDING_REGISTERS = 3
    READ_INPUT_REGISTERS = 4
    WRITE_COIL = 5
    WRITE_REGISTER = 6
    READ_EXCEPTION_STATUS = 7
    DIAGNOSTICS = 8
    GET_EVENT_COUNTER = 11
    GET_EVENT_LOG = 12
    WRITE_COILS = 15
    WRITE_REGISTERS = 16
    REPORT_SERVER_ID = 17
    READ_FILE = 20
    WRITE_FILE = 21
    MASK_WRITE_REGISTER = 22
    READ_WRITE_REGISTERS = 23
    READ_FIFO = 24
    ENCAPSULATED = 43


class Code(IntEnum):
    """Exception codes, section 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    GATEWAY_PATH_UNAVAILABLE = 10
    GATEWAY_TARGET_FAILED = 11


EXCEPTION: Final = 0x80
"""In an answer's function code: what follows is an exception code."""

READS: Final = frozenset(
    {
        Function.READ_COILS,
        Function.READ_DISCRETE_INPUTS,
        Function.READ_HOLDING_REGISTERS,
        Function.READ_INPUT_REGISTERS,
        Function.READ_EXCEPTION_STATUS,
        Function.GET_EVENT_COUNTER,
        Function.GET_EVENT_LOG,
        Function.REPORT_SERVER_ID,
        Function.READ_FILE,
        Function.READ_FIFO,
    }
)
"""Functions that change nothing."""

_READ_IDENTIFICATION: Final = bytes((Function.ENCAPSULATED, 14))
"""Section 6.21: the other encapsulated interface carries anything."""


def reads(pdu: bytes) -> bool:
    """@return: the request changes nothing, however often it is made."""
    return pdu[:1] != b"" and (pdu[0] in READS or pdu.startswith(_READ_IDENTIFICATION))


def exception(pdu: bytes, code: int) -> bytes | None:
    """@return: the answer that refuses a request; None: it has no function."""
    if not pdu or pdu[0] & EXCEPTION:
        return None
    return bytes((pdu[0] | EXCEPTION, code))
