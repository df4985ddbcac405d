"""Frames of Modbus over TCP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import attrs

from portmux.core.address import Address
from portmux.core.frame.framer import Dialogue
from portmux.core.frame.reading import Measured
from portmux.core.modbus import options
from portmux.core.modbus.access import Rule
from portmux.core.modbus.carrier import MBAP
from portmux.core.modbus.dialogue import TcpDialogue
from portmux.core.modbus.expert import ModbusExpert
from portmux.core.modbus.units import Unit, Units
from portmux.core.option import Seconds, option
from portmux.core.registry import Registry
from portmux.errors import Malformed

HEAD: Final = 6
"""Octets of transaction, protocol and length."""

LONGEST: Final = 254
"""What a length may say: a unit and a message of up to 253 octets."""


def size(data: bytes | bytearray) -> int | None:
    """A L{Measure}: the length counts what follows it."""
    if len(data) < HEAD:
        return None
    length = data[4] << 8 | data[5]
    if not 1 <= length <= LONGEST:
        raise Malformed(f"a length of {length}, 1 to {LONGEST} are allowed")
    return HEAD + length


@attrs.frozen
class Modbus:
    """Modbus over TCP, with its transaction ids."""

    transactions: Literal["rewrite", "keep", "ignore"] = option(
        "what becomes of clients' transaction ids: each request gets one of its own; "
        "none changes; or they are not compared either, for targets that do not "
        "repeat them",
        default="rewrite",
        example="ignore",
    )
    units: Mapping[int, Unit] = options.units()
    other_units: Literal["pass", "refuse"] = options.other_units()
    access: tuple[Rule, ...] = options.access()
    share: bool = options.share()
    cache: Seconds | None = options.cache()  # noqa: RUF009 -- a declaration
    places: Units = attrs.field(init=False, eq=False, repr=False)
    _dialogue: TcpDialogue = attrs.field(init=False, eq=False, repr=False)

    @places.default
    def _find_places(self) -> Units:
        return Units(self.units)

    @_dialogue.default
    def _make_dialogue(self) -> TcpDialogue:
        return TcpDialogue(self.transactions, self.places.numbers)

    @property
    def dialogue(self) -> Dialogue:
        return self._dialogue

    @property
    def targets(self) -> Sequence[tuple[Address, ...]]:
        return self.places.targets

    def expert(self) -> ModbusExpert:
        return ModbusExpert(MBAP, self._dialogue, self)

    def requests(self) -> Measured:
        return Measured(size)

    def answers(self) -> Measured:
        return Measured(size)


def register(registry: Registry) -> None:
    registry.framer("modbus", Modbus)
