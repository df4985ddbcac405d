"""Frames of Modbus as on a serial line, but carried over TCP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from portmux.core.address import Address
from portmux.core.frame.framer import Dialogue
from portmux.core.frame.reading import Measured
from portmux.core.modbus import options
from portmux.core.modbus.access import Rule
from portmux.core.modbus.carrier import RTU
from portmux.core.modbus.dialogue import SerialDialogue
from portmux.core.modbus.expert import ModbusExpert
from portmux.core.modbus.rtu import answer_size, check, request_size
from portmux.core.modbus.units import Unit, Units
from portmux.core.option import Seconds
from portmux.core.registry import Registry


@attrs.frozen
class ModbusRtu:
    """Modbus RTU over TCP, as serial gateways speak it that translate nothing."""

    units: Mapping[int, Unit] = options.units()
    other_units: Literal["pass", "refuse"] = options.other_units()
    access: tuple[Rule, ...] = options.access()
    share: bool = options.share()
    cache: Seconds | None = options.cache()  # noqa: RUF009 -- a declaration
    places: Units = attrs.field(init=False, eq=False, repr=False)
    _dialogue: SerialDialogue = attrs.field(init=False, eq=False, repr=False)

    @places.default
    def _find_places(self) -> Units:
        return Units(self.units)

    @_dialogue.default
    def _make_dialogue(self) -> SerialDialogue:
        return SerialDialogue(self.places.numbers)

    @property
    def dialogue(self) -> Dialogue:
        return self._dialogue

    @property
    def targets(self) -> Sequence[tuple[Address, ...]]:
        return self.places.targets

    def expert(self) -> ModbusExpert:
        return ModbusExpert(RTU, self._dialogue, self)

    def requests(self) -> Measured:
        return Measured(request_size, check)

    def answers(self) -> Measured:
        return Measured(answer_size, check)


def register(registry: Registry) -> None:
    registry.framer("modbus-rtu", ModbusRtu)
