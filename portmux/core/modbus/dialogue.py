"""Which Modbus answer belongs to which request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from portmux.core.frame.framer import Frame, Trouble
from portmux.core.modbus.carrier import MBAP, RTU, Carrier
from portmux.core.modbus.pdu import EXCEPTION, Code, exception, reads

Transactions = Literal["rewrite", "keep", "ignore"]

_CODES: Final = {
    Trouble.UNREACHABLE: Code.GATEWAY_PATH_UNAVAILABLE,
    Trouble.SILENT: Code.GATEWAY_TARGET_FAILED,
    Trouble.BROKEN: Code.GATEWAY_TARGET_FAILED,
}

BROADCAST: Final = 0
"""The unit that all listen to and none answers for, on a serial line."""


@attrs.frozen
class TcpDialogue:
    """
    With transaction ids; a L{portmux.core.frame.framer.Dialogue}.

    @ivar transactions: what becomes of the clients' ids.
    @ivar units: the targets' numbers of units by those of clients, where they
        are others.
    """

    transactions: Transactions = "rewrite"
    units: Mapping[int, int] = attrs.field(factory=dict)

    @property
    def numbered(self) -> bool:
        return self.transactions == "rewrite"

    def number(self, frame: Frame) -> int | None:
        return int.from_bytes(frame.data[:2], "big")

    def outgoing(self, request: Frame, number: int) -> Frame:
        data = request.data
        if self.transactions == "rewrite":
            data = number.to_bytes(2, "big") + data[2:]
        if self.units:
            data = data[:6] + bytes((self.units.get(data[6], data[6]),)) + data[7:]
        return request if data is request.data else Frame(data)

    def incoming(self, request: Frame, answer: Frame) -> Frame:
        data = answer.data
        if self.transactions != "keep":
            data = request.data[:2] + data[2:]
        if self.units:
            data = data[:6] + request.data[6:7] + data[7:]
        return answer if data is answer.data else Frame(data)

    def mismatch(self, sent: Frame, answer: Frame) -> str | None:
        asked, told = sent.data, answer.data
        if asked[:2] == told[:2] and asked[6:8] == told[6:8]:
            return None  # mostly: of the same unit and function
        if asked[:2] != told[:2] and self.transactions != "ignore":
            return _other("transaction", self.number(sent), self.number(answer))
        return _mismatch(MBAP, asked, told)

    def answered(self, request: Frame) -> bool:
        return True

    def repeatable(self, request: Frame) -> bool:
        return reads(MBAP.pdu(request.data))

    def failure(self, request: Frame, trouble: Trouble) -> Frame | None:
        return refusal(MBAP, request, _CODES[trouble])


@attrs.frozen
class SerialDialogue:
    """
    Without numbers; a L{portmux.core.frame.framer.Dialogue}.

    @ivar units: as those of L{TcpDialogue}.
    """

    units: Mapping[int, int] = attrs.field(factory=dict)
    numbered = False

    def number(self, frame: Frame) -> int | None:
        return None

    def outgoing(self, request: Frame, number: int) -> Frame:
        unit = RTU.unit(request.data)
        return _renamed(request, self.units.get(unit, unit))

    def incoming(self, request: Frame, answer: Frame) -> Frame:
        return _renamed(answer, RTU.unit(request.data))

    def mismatch(self, sent: Frame, answer: Frame) -> str | None:
        return _mismatch(RTU, sent.data, answer.data)

    def answered(self, request: Frame) -> bool:
        return RTU.unit(request.data) != BROADCAST

    def repeatable(self, request: Frame) -> bool:
        return reads(RTU.pdu(request.data))

    def failure(self, request: Frame, trouble: Trouble) -> Frame | None:
        if not self.answered(request):
            return None
        return refusal(RTU, request, _CODES[trouble])


def _renamed(frame: Frame, unit: int) -> Frame:
    """@return: the frame with that unit, on a serial line."""
    data = frame.data
    if RTU.unit(data) == unit:
        return frame
    return Frame(RTU.frame(data, unit, RTU.pdu(data)))


def refusal(carrier: Carrier, request: Frame, code: Code) -> Frame | None:
    """@return: the exception; None: the request has no function to refuse."""
    pdu = exception(carrier.pdu(request.data), code)
    if pdu is None:
        return None
    return Frame(carrier.frame(request.data, carrier.unit(request.data), pdu))


def _mismatch(carrier: Carrier, asked: bytes, told: bytes) -> str | None:
    unit, told_unit = carrier.unit(asked), carrier.unit(told)
    if unit != told_unit:
        return _other("unit", unit, told_unit)
    function, told_function = carrier.pdu(asked)[:1], carrier.pdu(told)[:1]
    if function != told_function:
        if function and told_function and told_function[0] == function[0] | EXCEPTION:
            return None
        return _other(
            "function",
            *(code[0] if code else None for code in (function, told_function)),
        )
    return None


def _other(what: str, asked: int | None, told: int | None) -> str:
    shown = "none" if told is None else told
    return f"{what} {shown} instead of {'none' if asked is None else asked}"
