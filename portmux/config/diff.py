"""Tell what differs between the configuration in force and a new one."""

from __future__ import annotations

from enum import Enum, auto

import attrs

from portmux.config.model import Bind, Config, Listener


class Change(Enum):
    """What happens to a listener."""

    ADDED = auto()
    REMOVED = auto()
    REBOUND = auto()
    """Its addresses changed, and perhaps more."""

    CHANGED = auto()
    """Its addresses stay, something else changed."""

    SAME = auto()


@attrs.frozen
class ListenerChange:
    """
    One listener, before and after.

    @ivar before: None if it is added.
    @ivar after: None if it is removed.
    """

    name: str
    change: Change
    before: Listener | None
    after: Listener | None

    @property
    def opened(self) -> tuple[Bind, ...]:
        """Addresses that only the new one has, options of the socket included."""
        return _only(self.after, self.before)

    @property
    def closed(self) -> tuple[Bind, ...]:
        """Addresses that only the old one has."""
        return _only(self.before, self.after)


@attrs.frozen
class Difference:
    """
    @ivar listeners: all of both, those of the new configuration first.
    @ivar options: names of the fields of L{Config} that differ, listeners apart.
    """

    listeners: tuple[ListenerChange, ...]
    options: frozenset[str]

    def __bool__(self) -> bool:
        same = all(each.change is Change.SAME for each in self.listeners)
        return bool(self.options) or not same


def compare(before: Config, after: Config) -> Difference:
    """@return: what has to be done to get from one to the other."""
    old, new = before.listeners, after.listeners
    names = [*new, *(name for name in old if name not in new)]
    options = (field.name for field in attrs.fields(Config))
    return Difference(
        tuple(_listener(name, old.get(name), new.get(name)) for name in names),
        frozenset(
            name
            for name in options
            if name != "listeners" and getattr(before, name) != getattr(after, name)
        ),
    )


def _listener(
    name: str, before: Listener | None, after: Listener | None
) -> ListenerChange:
    if before is None:
        change = Change.ADDED
    elif after is None:
        change = Change.REMOVED
    elif set(before.bind) != set(after.bind):
        change = Change.REBOUND
    else:
        # The order of addresses means nothing.
        same = attrs.evolve(before, bind=after.bind) == after
        change = Change.SAME if same else Change.CHANGED
    return ListenerChange(name, change, before, after)


def _only(one: Listener | None, other: Listener | None) -> tuple[Bind, ...]:
    if one is None:
        return ()
    there = () if other is None else other.bind
    return tuple(bind for bind in one.bind if bind not in there)
