"""
Frames of every function, as pymodbus 3.16 makes them, on a serial line to unit 17.

Each is a request, its answer and, for the last one, a refusal.
"""

from __future__ import annotations

from typing import Final

from portmux.core.frame.framer import Frame
from portmux.core.modbus.carrier import MBAP, RTU

_HEX: Final = {
    "READ_COILS": ("1101001300250e84", "11010555555555156311"),
    "READ_DISCRETE_INPUTS": ("110200c40016baa9", "110203ffffff4b5e"),
    "READ_HOLDING_REGISTERS": ("1103006b00037687", "110306022b00000064c8ba"),
    "READ_INPUT_REGISTERS": ("110400080001b298", "110402000af8f4"),
    "WRITE_COIL": ("110500acff004e8b", "110500acff004e8b"),
    "WRITE_REGISTER": ("1106000100039a9b", "1106000100039a9b"),
    "READ_EXCEPTION_STATUS": ("11074c22", "11076de218"),
    "DIAGNOSTICS": ("11080000a537d81d", "11080000a537d81d"),
    "GET_EVENT_COUNTER": ("110b4c27", "110b00000108a6cd"),
    "GET_EVENT_LOG": ("110c0de5", "110c0800000108012120005901"),
    "WRITE_COILS": ("110f0013000a025501d4cb", "110f0013000a2699"),
    "WRITE_REGISTERS": ("11100001000204000a0102c6f0", "1110000100021298"),
    "REPORT_SERVER_ID": ("1111cdec", "11110570756d70ff2e05"),
    "READ_FILE": (
        "11140e0600040001000106000300090001f92c",
        "11140c05060dfe0020050633cd004069ad",
    ),
    "WRITE_FILE": (
        "11150d0600040007000306af04be100ddbc7",
        "11150d0600040007000306af04be100ddbc7",
    ),
    "MASK_WRITE_REGISTER": ("1116000400f2002566e2", "1116000400f2002566e2"),
    "READ_WRITE_REGISTERS": (
        "111700030006000e00030600ff00ff00ff4b54",
        "11170c00fe0acd00010003000d00ff0d75",
    ),
    "READ_FIFO": ("111804de0787", "11180006000201b81284188d"),
    "ENCAPSULATED": (
        "112b0e0100b1b4",
        "112b0e01830000030007436f6d70616e79010750726f64756374020556322e3131d01a",
    ),
    "EXCEPTION": ("110300000001869a", "118302c134"),
}

PAIRS: Final = {
    name: (bytes.fromhex(request), bytes.fromhex(answer))
    for name, (request, answer) in _HEX.items()
}
"""Requests and answers by name of the function."""


def over_tcp(frame: bytes, transaction: int = 0x1501) -> bytes:
    """@return: the same message with a transaction id in place of a checksum."""
    like = transaction.to_bytes(2, "big") + bytes(2)
    return MBAP.frame(like, RTU.unit(frame), RTU.pdu(frame))


def tcp(transaction: int, unit: int, pdu: bytes) -> Frame:
    """@return: a frame of Modbus over TCP."""
    return Frame(MBAP.frame(transaction.to_bytes(2, "big") + bytes(2), unit, pdu))


def rtu(unit: int, pdu: bytes) -> Frame:
    """@return: a frame as on a serial line."""
    return Frame(RTU.frame(b"", unit, pdu))
