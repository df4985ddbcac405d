"""What happens, told to those who watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

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

    def publish(self, event: Event) -> None:
        for told in list(self._watchers.values()):
            told(event)
