"""What targets make of the octets that they are given."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

_SINGLE = 15
"""This many cuts stand for a cut behind every octet."""

_MOST_SINGLE = 256
"""Octets that come one by one; what follows comes at once."""

_NUMBER = 2
"""Octets of a number."""


def seeds(numbers: int, datas: Iterable[bytes]) -> list[bytes]:
    """@return: inputs whose numbers are 0, which is nothing special."""
    return [data + bytes(_NUMBER * numbers) for data in datas]


class Material:
    """Octets, of which numbers are taken from the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._end = len(data)

    def number(self, below: int) -> int:
        """@return: a number up to 65536 that the last octets name; 0 without any."""
        start = max(0, self._end - _NUMBER)
        found = int.from_bytes(self._data[start : self._end], "big")
        self._end = start
        return found % below

    def rest(self) -> bytes:
        """@return: all octets that no number was taken from."""
        return self._data[: self._end]

    def pieces(self) -> list[bytes]:
        """@return: the rest in segments, none of them empty."""
        count = self.number(_SINGLE + 1)
        if count == _SINGLE:
            cuts = set(range(_MOST_SINGLE + 1))
        else:
            cuts = {self.number(1 << 16) for _ in range(count)}
        rest = self.rest()
        places = sorted({0, len(rest), *(cut for cut in cuts if cut < len(rest))})
        return [rest[at:end] for at, end in pairwise(places)]


def require(condition: object, what: str, *facts: object) -> None:
    """@raise AssertionError: a property does not hold."""
    if not condition:
        raise AssertionError(": ".join([what, *map(repr, facts)]))
