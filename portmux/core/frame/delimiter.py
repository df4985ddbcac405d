"""Frames that end with octets of one's choice."""

from __future__ import annotations

import attrs

from portmux.core.frame.framer import OPAQUE, Dialogue
from portmux.core.frame.reading import Delimited
from portmux.core.option import Octets, at_least, option
from portmux.core.registry import Registry

LONGEST = 64
"""Octets of a delimiter, from taste."""


def _check_delimiter(octets: bytes) -> None:
    if not 1 <= len(octets) <= LONGEST:
        raise ValueError(f"has {len(octets)} octets, 1 to {LONGEST} are allowed")


@attrs.frozen
class Delimiter:
    """A request ends with the same octets as its answer, and with nothing else."""

    delimiter: bytes = option(
        "octets that a frame ends with",
        value=True,
        check=_check_delimiter,
        example=r"'\0d'",
    )
    limit: Octets = option(
        "most octets of a frame, its end included",
        default=1 << 20,
        check=at_least(1),
        example="4KiB",
    )

    def __attrs_post_init__(self) -> None:
        _check_delimiter(self.delimiter)

    @property
    def dialogue(self) -> Dialogue:
        return OPAQUE

    def requests(self) -> Delimited:
        return Delimited(self.delimiter, self.limit)

    def answers(self) -> Delimited:
        return Delimited(self.delimiter, self.limit)


def register(registry: Registry) -> None:
    registry.framer("delimiter", Delimiter)
