"""Which Modbus requests may go to a device, whoever makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import attrs

from portmux.core.address import Address
from portmux.core.modbus.pdu import reads
from portmux.core.modbus.span import Span, touched
from portmux.core.modbus.units import check_unit
from portmux.core.network import Network, Selection
from portmux.core.option import option

Verdict = Literal["allow", "refuse", "ignore"]

EVERYBODY: Final = 0
"""The unit of broadcasts, where there are any."""

_LAST_FUNCTION: Final = 127
_LAST_REGISTER: Final = 0xFFFF


def _check_units(units: Sequence[int]) -> None:
    for unit in units:
        check_unit(unit)


@attrs.frozen
class Functions:
    """Functions of one kind, or one of them."""

    text: str | int = option(
        "read, write or the number of a function", value=True, example="write"
    )
    _number: int | None = attrs.field(init=False, eq=False, repr=False)

    @_number.default
    def _read(self) -> int | None:
        text = str(self.text)
        if text in ("read", "write"):
            return None
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _LAST_FUNCTION):
            raise ValueError(
                f'"{text}" is not allowed, read, write or 1 to {_LAST_FUNCTION} is'
            )
        return int(text)

    def fits(self, pdu: bytes) -> bool:
        if self._number is not None:
            return pdu[:1] == bytes((self._number,))
        return reads(pdu) is (self.text == "read")


@attrs.frozen
class Registers:
    """Registers, coils or inputs next to each other, or just one."""

    text: str | int = option(
        "a number as it stands in messages, from 0, or a range like 0-99",
        value=True,
        example="100-199",
    )
    _ends: tuple[int, int] = attrs.field(init=False, eq=False, repr=False)

    @_ends.default
    def _read(self) -> tuple[int, int]:
        text = str(self.text)
        first, dash, last = text.partition("-")
        ends = [first, last if dash else first]
        if not all(one.isascii() and one.isdigit() and len(one) < 6 for one in ends):
            raise ValueError(f'"{text}" is not a number, or a range like 0-99')
        low, high = map(int, ends)
        if low > high or high > _LAST_REGISTER:
            raise ValueError(f'"{text}" is not a range within 0-{_LAST_REGISTER}')
        return low, high

    def touches(self, span: Span) -> bool:
        low, high = self._ends
        return span.start <= high and low < span.end

    def holds(self, span: Span) -> bool:
        low, high = self._ends
        return low <= span.start and span.end <= high + 1


@attrs.frozen
class Rule:
    """
    What becomes of some requests; what is left out is any.

    Registers fit a rule that allows when it has all that a request touches, and
    any other rule when it has one of them; what a function of one's own touches
    is not known, and counts as all there is. Unit 0, which may be everybody, fits
    whatever units a rule has that does not allow.
    """

    then: Verdict = option(
        "let the request go; answer with an exception; or, for writes, answer as if "
        "it had been done",
        default="refuse",
        example="ignore",
    )
    clients: tuple[Network, ...] = option(
        "clients' addresses, networks or ranges", default=(), example="10.0.0.0/8"
    )
    units: tuple[int, ...] = option(
        "units, as clients name them",
        default=(),
        check=_check_units,
        example="[1, 2]",
    )
    functions: tuple[Functions, ...] = option(
        "read, write, or numbers of functions", default=(), example="write"
    )
    registers: tuple[Registers, ...] = option(
        "registers, coils or inputs that are touched", default=(), example="100-199"
    )
    _chosen: Selection | None = attrs.field(init=False, eq=False, repr=False)

    @_chosen.default
    def _choose(self) -> Selection | None:
        return Selection(self.clients, ()) if self.clients else None

    def fits(self, client: Address, unit: int, pdu: bytes) -> bool:
        """@return: whether it says what becomes of the request."""
        return (
            (not self.units or self._means(unit))
            and (not self.functions or any(one.fits(pdu) for one in self.functions))
            and (not self.registers or self._touches(pdu))
            and (self._chosen is None or client in self._chosen)
        )

    def _means(self, unit: int) -> bool:
        return unit in self.units or (unit == EVERYBODY and self.then != "allow")

    def _touches(self, pdu: bytes) -> bool:
        spans = touched(pdu)
        if spans is None:
            return self.then != "allow"
        if self.then != "allow":
            return any(one.touches(span) for one in self.registers for span in spans)
        return bool(spans) and all(
            any(one.holds(span) for one in self.registers) for span in spans
        )


def judge(rules: Sequence[Rule], client: Address, unit: int, pdu: bytes) -> Rule | None:
    """@return: the first rule that fits; None: there is none, the request may go."""
    return next((rule for rule in rules if rule.fits(client, unit, pdu)), None)


def pretended(pdu: bytes) -> bytes | None:
    """@return: the answer to a write as if it had been done; None: there is none."""
    match pdu[:1]:
        case b"\x05" | b"\x06" | b"\x16":
            return pdu
        case b"\x0f" | b"\x10" if len(pdu) > 5:
            return pdu[:5]
    return None
