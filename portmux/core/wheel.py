"""
Deadlines for many things at the price of a dictionary entry each.

Times are sorted into buckets of one tick. Nothing fires early; up to a tick
late is fine for the waits this is made for (sniffing, idling, connecting).
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")

_SPARE = 64
"""Empty buckets that may be there beside as many as there are items (taste)."""


@attrs.define(eq=False)
class Wheel(Generic[T]):
    """@ivar tick: seconds; the most by which something may be late."""

    tick: float = 0.05
    _buckets: dict[int, dict[T, None]] = attrs.field(
        factory=dict, init=False, repr=False
    )
    _order: list[int] = attrs.field(factory=list, init=False, repr=False)
    _slots: dict[T, int] = attrs.field(factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, item: T, deadline: float) -> None:
        """Have C{item} come due at C{deadline}, whatever was said before."""
        slot = ceil(deadline / self.tick)
        if slot * self.tick < deadline:  # by rounding
            slot += 1
        if self._slots.get(item) == slot:
            return
        self.discard(item)
        bucket = self._buckets.get(slot)
        if bucket is None:
            bucket = self._new_bucket(slot)
        bucket[item] = None
        self._slots[item] = slot

    def discard(self, item: T) -> None:
        """Forget C{item}; it need not be there."""
        slot = self._slots.pop(item, None)
        if slot is not None:
            del self._buckets[slot][item]
            if not self._slots:
                self._clear()

    def next(self) -> float | None:
        """@return: when something may come due; None while there is nothing."""
        while self._order and not self._buckets[self._order[0]]:
            del self._buckets[heappop(self._order)]
        return self._order[0] * self.tick if self._order else None

    def due(self, now: float) -> list[T]:
        """Take out everything whose time has come."""
        found: list[T] = []
        while self._order and self._order[0] * self.tick <= now:
            bucket = self._buckets.pop(heappop(self._order))
            for item in bucket:
                del self._slots[item]
            found += bucket
        if not self._slots:
            self._clear()
        return found

    def _new_bucket(self, slot: int) -> dict[T, None]:
        if len(self._buckets) > 2 * len(self._slots) + _SPARE:
            self._buckets = {at: full for at, full in self._buckets.items() if full}
            self._order = sorted(self._buckets)  # which is a heap
        bucket = self._buckets[slot] = {}
        heappush(self._order, slot)
        return bucket

    def _clear(self) -> None:
        """Give back the memory of a rush, too."""
        self._slots.clear()
        self._buckets.clear()
        self._order.clear()
