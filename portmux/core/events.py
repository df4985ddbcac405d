"""What happens, told to those who watch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from portmux.core.backend import Change

Event = Mapping[str, Any]
"""C{event} says what happened, the rest to what; values are what JSON has."""

Told = Callable[[Event], None]


@attrs.define(eq=False)
class Hub:
    """Tells everybody who watches, in the order in which they came."""

    _watchers: dict[int, Told] = attrs.field(factory=dict, init=False)
    _count: int = attrs.field(default=0, init=False)

    def __bool__(self) -> bool:
        """@return: whether anybody watches: only then an event has to be made."""
        return bool(self._watchers)

    def watch(self, told: Told) -> Callable[[], None]:
        """@return: to be called when nobody watches any more; again is no harm."""
        self._count += 1
        number = self._count
        self._watchers[number] = told

        def leave() -> None:
            self._watchers.pop(number, None)

        return leave

    def changed(self, change: Change) -> None:
        """Publish what has become of a backend."""
        if self:
            before, after = change.before, change.after
            self.publish(
                {
                    "event": "backend",
                    "pool": change.pool.name,
                    "backend": str(change.backend.address),
                    "before": None if before is None else before.value,
                    "after": None if after is None else after.value,
                    "reason": change.reason,
                }
            )

    def moved(self, before: Collection[str], after: Collection[str]) -> None:
        """Publish which listeners have gone, and which have come."""
        for word, one, other in (("closed", before, after), ("opened", after, before)):
            for name in one:
                if name not in other:
                    self.publish({"event": word, "listener": name})

    def publish(self, event: Event) -> None:
        for told in list(self._watchers.values()):
            told(event)
