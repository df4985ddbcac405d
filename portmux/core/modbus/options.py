"""Options that all ways to carry Modbus have, each declared once."""

from __future__ import annotations

from typing import Any

from portmux.core.modbus.units import check_units
from portmux.core.option import option


def _positive(seconds: float | None) -> None:
    if seconds is not None and seconds <= 0:
        raise ValueError(f"{seconds:g} is not allowed, more than 0 is")


def units() -> Any:
    """@return: C{Mapping[int, Unit]}."""
    return option(
        "by the numbers that clients use, what units are at the target, and where",
        factory=dict,
        check=check_units,
        example='{1: 17, 2: {unit: 1, to: "10.0.0.8:502"}}',
    )


def other_units() -> Any:
    """@return: C{Literal["pass", "refuse"]}."""
    return option(
        "what becomes of requests for units that are not among units: they are passed "
        "on as they are, or answered with exception 0x0A",
        default="pass",
        example="refuse",
    )


def access() -> Any:
    """@return: C{tuple[Rule, ...]}."""
    return option(
        "rules of which the first that fits says what becomes of a request; it goes "
        "on where none does",
        default=(),
        example="[{functions: write, then: refuse}]",
    )


def share() -> Any:
    """@return: C{bool}."""
    return option(
        "a read that waits or is under way answers all clients that ask for the same "
        "meanwhile",
        default=False,
        example="true",
    )


def cache() -> Any:
    """@return: C{Seconds | None}."""
    return option(
        "for how long what was read is good for others, unless something is written "
        "there; none: it is asked for each time",
        default=None,
        check=_positive,
        example="2s",
    )
