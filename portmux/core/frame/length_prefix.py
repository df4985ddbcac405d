"""Frames with a length in them, wherever it stands and whatever it counts."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from portmux.core.frame.framer import OPAQUE, Dialogue
from portmux.core.frame.reading import Measured
from portmux.core.option import Octets, at_least, option
from portmux.core.registry import Registry
from portmux.errors import Malformed

_WIDEST: Final = 8


def _check_width(width: int) -> None:
    if not 1 <= width <= _WIDEST:
        raise ValueError(f"{width} is not allowed, 1 to {_WIDEST} octets are")


@attrs.frozen
class LengthPrefix:
    """Each frame tells its length, in a binary number at a fixed place."""

    width: int = option(
        "octets of the length", default=2, check=_check_width, example="4"
    )
    endian: Literal["big", "little"] = option(
        "which octet of the length comes first: the most significant, or the least",
        default="big",
        example="little",
    )
    offset: int = option(
        "octets of the frame before the length",
        default=0,
        check=at_least(0),
        example="4",
    )
    counts: Literal["rest", "length", "all"] = option(
        "what the length counts: what follows it, that and itself, or all of the frame",
        default="rest",
        example="all",
    )
    limit: Octets = option(
        "most octets of a frame, all included",
        default=1 << 20,
        check=at_least(1),
        example="64KiB",
    )
    _uncounted: int = attrs.field(init=False, eq=False, repr=False)

    @_uncounted.default
    def _count(self) -> int:
        head = self.offset + self.width
        return {"rest": head, "length": self.offset, "all": 0}[self.counts]

    def __attrs_post_init__(self) -> None:
        _check_width(self.width)

    @property
    def dialogue(self) -> Dialogue:
        return OPAQUE

    def requests(self) -> Measured:
        return Measured(self._size)

    def answers(self) -> Measured:
        return Measured(self._size)

    def _size(self, data: bytes | bytearray) -> int | None:
        head = self.offset + self.width
        if len(data) < head:
            return None
        length = int.from_bytes(data[self.offset : head], self.endian)
        size = length + self._uncounted
        if size < head:
            raise Malformed(
                f"a length of {length}, {head - self._uncounted} or more is allowed"
            )
        if size > self.limit:
            raise Malformed(f"a frame of {size} octets, {self.limit} are allowed")
        return size


def register(registry: Registry) -> None:
    registry.framer("length-prefix", LengthPrefix)
