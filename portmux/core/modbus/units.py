"""Units as clients name them, and where they really are."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from portmux.core.address import Address
from portmux.core.option import option

LAST: int = 255


def check_unit(unit: int | None) -> None:
    """None passes. @raise ValueError: no unit has this number."""
    if unit is not None and not 0 <= unit <= LAST:
        raise ValueError(f"{unit} is not a unit, 0 to {LAST} are allowed")


@attrs.frozen
class Unit:
    """Where a unit is that clients name."""

    unit: int | None = option(
        "its number there; none: the same",
        default=None,
        value=True,
        check=check_unit,
        example="17",
    )
    to: tuple[Address, ...] = option(
        "its target, as of mux; none given: that one",
        default=(),
        example="10.0.0.8:502",
    )


def check_units(units: Mapping[int, Unit]) -> None:
    """@raise ValueError: a number is none of a unit."""
    for number, unit in units.items():
        check_unit(number)
        check_unit(unit.unit)


@attrs.frozen
class Units:
    """
    @ivar targets: others than the usual one, each once.
    @ivar numbers: by clients' numbers those at the targets, where they are others.
    """

    _known: Mapping[int, Unit]
    targets: tuple[tuple[Address, ...], ...] = attrs.field(init=False)
    numbers: Mapping[int, int] = attrs.field(init=False)

    @targets.default
    def _find_targets(self) -> tuple[tuple[Address, ...], ...]:
        return tuple(dict.fromkeys(unit.to for unit in self._known.values() if unit.to))

    @numbers.default
    def _find_numbers(self) -> Mapping[int, int]:
        return {
            number: unit.unit
            for number, unit in self._known.items()
            if unit.unit not in (None, number)
        }

    def __contains__(self, unit: int) -> bool:
        return unit in self._known

    def target(self, unit: int) -> int:
        """@return: 0 for the usual one, else the place in C{targets}, from 1."""
        if not self.targets:
            return 0
        known = self._known.get(unit)
        return 0 if known is None or not known.to else 1 + self.targets.index(known.to)

    def device(self, unit: int) -> tuple[int, int]:
        """@return: the same for all numbers of one device: its target, and there."""
        return self.target(unit), self.numbers.get(unit, unit)
