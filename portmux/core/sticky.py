"""Which source had which backend last."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import attrs

from portmux.core.backend import Backend

REMEMBERED: Final = 65536
"""Sources at most; the one unseen for longest is forgotten first (taste: about
10 MiB)."""


@attrs.define(eq=False, slots=True)
class Sticky:
    """@ivar most: sources remembered."""

    most: int = REMEMBERED
    _table: OrderedDict[str, tuple[Backend, float]] = attrs.field(
        factory=OrderedDict, init=False, repr=False
    )

    def find(self, source: str, now: float) -> Backend | None:
        """@return: the source's, if it still sticks to one."""
        backend, until = self._table.get(source, (None, 0.0))
        return backend if now < until else None

    def put(self, source: str, backend: Backend, until: float) -> None:
        """@param until: when it is forgotten."""
        self._table[source] = backend, until
        self._table.move_to_end(source)
        if len(self._table) > self.most:
            self._table.popitem(last=False)
