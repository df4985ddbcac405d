"""Frames of Modbus as on a serial line, but carried over TCP."""

from __future__ import annotations

import attrs

from portmux.core.frame.framer import Dialogue
from portmux.core.frame.reading import Measured
from portmux.core.modbus.dialogue import SerialDialogue
from portmux.core.modbus.rtu import answer_size, check, request_size
from portmux.core.registry import Registry

_DIALOGUE = SerialDialogue()


@attrs.frozen
class ModbusRtu:
    """Modbus RTU over TCP, as serial gateways speak it that translate nothing."""

    @property
    def dialogue(self) -> Dialogue:
        return _DIALOGUE

    def requests(self) -> Measured:
        return Measured(request_size, check)

    def answers(self) -> Measured:
        return Measured(answer_size, check)


def register(registry: Registry) -> None:
    registry.framer("modbus-rtu", ModbusRtu)
