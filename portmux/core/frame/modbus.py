"""Frames of Modbus over TCP."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from portmux.core.frame.framer import Dialogue
from portmux.core.frame.reading import Measured
from portmux.core.modbus.dialogue import TcpDialogue
from portmux.core.option import option
from portmux.core.registry import Registry
from portmux.errors import Malformed

HEAD: Final = 6
"""Octets of transaction, protocol and length."""

LONGEST: Final = 254
"""What a length may say: a unit and a message of up to 253 octets."""


def size(data: bytearray) -> int | None:
    """A L{Measure}: the length counts what follows it."""
    if len(data) < HEAD:
        return None
    length = int.from_bytes(data[4:HEAD], "big")
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
    _dialogue: TcpDialogue = attrs.field(init=False, eq=False, repr=False)

    @_dialogue.default
    def _make_dialogue(self) -> TcpDialogue:
        return TcpDialogue(self.transactions)

    @property
    def dialogue(self) -> Dialogue:
        return self._dialogue

    def requests(self) -> Measured:
        return Measured(size)

    def answers(self) -> Measured:
        return Measured(size)


def register(registry: Registry) -> None:
    registry.framer("modbus", Modbus)
