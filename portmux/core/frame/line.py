"""Frames that are lines."""

from __future__ import annotations

import attrs

from portmux.core.frame.framer import OPAQUE, Dialogue
from portmux.core.frame.reading import Delimited
from portmux.core.option import Octets, at_least, option
from portmux.core.registry import Registry


@attrs.frozen
class Line:
    """A request is a line, and so is its answer; a line ends with LF."""

    limit: Octets = option(
        "most octets of a line, its end included",
        default=1 << 20,
        check=at_least(1),
        example="4KiB",
    )

    @property
    def dialogue(self) -> Dialogue:
        return OPAQUE

    def requests(self) -> Delimited:
        return Delimited(b"\n", self.limit)

    def answers(self) -> Delimited:
        return Delimited(b"\n", self.limit)


def register(registry: Registry) -> None:
    registry.framer("line", Line)
