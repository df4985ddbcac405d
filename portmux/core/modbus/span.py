"""
Which registers a Modbus message reads and writes.

@see: MODBUS Application Protocol Specification V1.1b3, sections 4.4 and 6.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import attrs

from portmux.core.modbus.pdu import Function, reads


class Table(Enum):
    """What a device has of; each is numbered from 0."""

    COILS = auto()
    DISCRETE_INPUTS = auto()
    HOLDING_REGISTERS = auto()
    INPUT_REGISTERS = auto()


@attrs.frozen(slots=True)
class Span:
    """@ivar start: number of the first one, as it stands in messages."""

    table: Table
    start: int
    count: int

    @property
    def end(self) -> int:
        """The number behind the last one."""
        return self.start + self.count


Spans = tuple[Span, ...]

_F = Function

READ: Final = {
    _F.READ_COILS: (Table.COILS, 2000),
    _F.READ_DISCRETE_INPUTS: (Table.DISCRETE_INPUTS, 2000),
    _F.READ_HOLDING_REGISTERS: (Table.HOLDING_REGISTERS, 125),
    _F.READ_INPUT_REGISTERS: (Table.INPUT_REGISTERS, 125),
}
"""By function what it reads, and how many at most."""

_ELSEWHERE: Final = frozenset(
    {
        _F.READ_EXCEPTION_STATUS,
        _F.DIAGNOSTICS,
        _F.GET_EVENT_COUNTER,
        _F.GET_EVENT_LOG,
        _F.REPORT_SERVER_ID,
        _F.READ_FILE,
        _F.WRITE_FILE,
    }
)
"""Functions that have nothing to do with the tables."""

_HOLDING = Table.HOLDING_REGISTERS


def read_span(pdu: bytes) -> Span | None:
    """@return: what a request only reads; None: it is no such request, or wrong."""
    known = READ.get(pdu[0]) if pdu else None  # type: ignore[call-overload]
    if known is None or len(pdu) != 5:
        return None
    table, most = known
    span = Span(table, _word(pdu, 1), _word(pdu, 3))
    return span if 1 <= span.count <= most and span.end <= 1 << 16 else None


def written(pdu: bytes) -> Spans | None:
    """@return: what a request changes in the tables; None: that is not known."""
    if not pdu or reads(pdu):
        return ()
    function = pdu[0]
    if function in (_F.WRITE_COIL, _F.WRITE_COILS):
        return _spans(pdu, Table.COILS, 1, many=function == _F.WRITE_COILS)
    if function in (_F.WRITE_REGISTER, _F.MASK_WRITE_REGISTER):
        return _spans(pdu, _HOLDING, 1, many=False)
    if function == _F.WRITE_REGISTERS:
        return _spans(pdu, _HOLDING, 1, many=True)
    if function == _F.READ_WRITE_REGISTERS:
        return _spans(pdu, _HOLDING, 5, many=True)
    return None


def touched(pdu: bytes) -> Spans | None:
    """@return: what a request reads or changes; None: that is not known."""
    function = pdu[0] if pdu else None
    if function in READ:
        table = READ[function][0]  # type: ignore[index]
        return _spans(pdu, table, 1, many=True)
    if function == _F.READ_FIFO:
        return _spans(pdu, _HOLDING, 1, many=False)
    if function in _ELSEWHERE or reads(pdu):
        return ()
    changed = written(pdu)
    if function == _F.READ_WRITE_REGISTERS and changed is not None:
        seen = _spans(pdu, _HOLDING, 1, many=True)
        return None if seen is None else seen + changed
    return changed


def _spans(pdu: bytes, table: Table, at: int, *, many: bool) -> Spans | None:
    """@return: None where the request is too short to tell."""
    if len(pdu) < at + (4 if many else 2):
        return None
    return (Span(table, _word(pdu, at), _word(pdu, at + 2) if many else 1),)


def _word(pdu: bytes, at: int) -> int:
    return int.from_bytes(pdu[at : at + 2], "big")
