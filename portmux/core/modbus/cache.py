"""What registers had in them a moment ago."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Final

import attrs

from portmux.core.modbus.span import Span, Table, read_span

MOST: Final = 1 << 16
"""Values that are remembered; from taste: some 10 MB. Then all are forgotten."""

_BITS: Final = (Table.COILS, Table.DISCRETE_INPUTS)

Values = list[bytes]
"""Of each register two octets, of each coil or discrete input one, 0 or 1."""


@attrs.define(eq=False, slots=True)
class Cache:
    """
    Registers of several devices, each by itself.

    @ivar seconds: for which a value is good, from when it was asked for.
    """

    seconds: float
    _values: dict[tuple[Hashable, Table], dict[int, tuple[bytes, float]]] = attrs.field(
        factory=dict, init=False
    )
    _count: int = attrs.field(default=0, init=False)

    def answer(self, device: Hashable, pdu: bytes, now: float) -> bytes | None:
        """@return: the answer to a request; None where one value is missing or old."""
        span = read_span(pdu)
        known = None if span is None else self._values.get((device, span.table))
        if span is None or known is None:
            return None
        found: Values = []
        for number in range(span.start, span.end):
            value, until = known.get(number, (b"", now))
            if now >= until:
                return None
            found.append(value)
        data = _packed(found) if span.table in _BITS else b"".join(found)
        return b"%c%c%b" % (pdu[0], len(data), data)

    def learn(self, device: Hashable, pdu: bytes, answer: bytes, asked: float) -> None:
        """
        @param answer: to that request; an exception, or what does not fit, says
            nothing.
        @param asked: when the request was sent.
        """
        span = read_span(pdu)
        values = None if span is None else _values(span, pdu, answer)
        if span is None or values is None:
            return
        if self._count + span.count > MOST:
            self.clear()
        known = self._values.setdefault((device, span.table), {})
        before, until = len(known), asked + self.seconds
        for number, value in enumerate(values, span.start):
            known[number] = (value, until)
        self._count += len(known) - before

    def forget(self, device: Hashable, spans: Iterable[Span] | None) -> None:
        """@param spans: what may have changed; None: all of the device."""
        if spans is None:
            for table in Table:
                self._count -= len(self._values.pop((device, table), ()))
            return
        for span in spans:
            known = self._values.get((device, span.table), {})
            wide = span.count > len(known)
            numbers = list(known) if wide else range(span.start, span.end)
            for number in numbers:
                if span.start <= number < span.end and number in known:
                    del known[number]
                    self._count -= 1

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()
        self._count = 0


def _values(span: Span, pdu: bytes, answer: bytes) -> Iterator[bytes] | None:
    """@return: those that an answer brings; None: it is not the answer to that."""
    bits = span.table in _BITS
    size = (span.count + 7) // 8 if bits else 2 * span.count
    if answer[:2] != bytes((pdu[0], size)) or len(answer) != 2 + size:
        return None
    if bits:
        return (
            b"\1" if answer[2 + at // 8] >> at % 8 & 1 else b"\0"
            for at in range(span.count)
        )
    return (answer[at : at + 2] for at in range(2, len(answer), 2))


def _packed(values: Values) -> bytes:
    """@return: eight to an octet, the first one lowest: section 6.1."""
    octets = bytearray((len(values) + 7) // 8)
    for at, value in enumerate(values):
        octets[at // 8] |= value[0] << at % 8
    return bytes(octets)
