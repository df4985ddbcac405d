"""Frames of ISO 8583 messages, as payment networks carry them over TCP."""

from __future__ import annotations

import attrs

from portmux.core.frame.framer import OPAQUE, Dialogue
from portmux.core.frame.reading import Measured
from portmux.core.registry import Registry

HEAD = 2
"""Octets of the length, most significant first; ISO 8583 itself does not say."""


def size(data: bytes | bytearray) -> int | None:
    """A L{Measure}: the length counts what follows it."""
    return None if len(data) < HEAD else HEAD + int.from_bytes(data[:HEAD], "big")


@attrs.frozen
class Iso8583:
    """ISO 8583 messages, each behind a length of two octets."""

    @property
    def dialogue(self) -> Dialogue:
        return OPAQUE

    def requests(self) -> Measured:
        return Measured(size)

    def answers(self) -> Measured:
        return Measured(size)


def register(registry: Registry) -> None:
    registry.framer("iso8583", Iso8583)
