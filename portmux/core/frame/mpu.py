"""Frames of MPU, a card network's protocol: four digits tell the length."""

from __future__ import annotations

import re

import attrs

from portmux.core.frame.framer import OPAQUE, Dialogue
from portmux.core.frame.reading import Measured
from portmux.core.head import printable
from portmux.core.registry import Registry
from portmux.errors import Malformed

HEAD = 4
"""Digits of the length."""

_OTHER = re.compile(rb"[^0-9]")


def size(data: bytes | bytearray) -> int | None:
    """A L{Measure}: the length counts what follows it."""
    head = bytes(data[:HEAD])
    if not head.isdigit():
        other = _OTHER.search(head)
        assert other is not None
        wrong = printable(head[: other.end()])
        raise Malformed(f"a length that begins with {wrong}, four digits are allowed")
    return HEAD + int(head) if len(head) == HEAD else None


@attrs.frozen
class Mpu:
    """MPU messages, each behind a length of four decimal digits."""

    @property
    def dialogue(self) -> Dialogue:
        return OPAQUE

    def requests(self) -> Measured:
        return Measured(size)

    def answers(self) -> Measured:
        return Measured(size)


def register(registry: Registry) -> None:
    registry.framer("mpu", Mpu)
