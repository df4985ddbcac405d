"""Match connections by when they came."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from portmux.core.head import Head, Reason, Verdict
from portmux.core.option import option
from portmux.core.pattern import some
from portmux.core.registry import Registry

DAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_WEEK: Final = len(DAYS)
_DAY: Final = 24 * 60
_HOURS: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


def _zone_of(name: str | None) -> tzinfo | None:
    """@raise ValueError: the system knows none of that name."""
    try:
        return None if name is None else ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"there is no time zone {name!r}, "
            "one such as Europe/Berlin or UTC is wanted"
        ) from None


def _check_zone(name: str | None) -> None:
    _zone_of(name)


@attrs.frozen
class Hours:
    """A part of a day; one that ends before it begins goes on after midnight."""

    text: str = option("HH:MM-HH:MM", value=True, example="08:00-18:00")
    span: tuple[int, int] = attrs.field(init=False, eq=False, repr=False)

    @span.default
    def _read(self) -> tuple[int, int]:
        found = _HOURS.fullmatch(self.text.strip())
        if found is None:
            raise ValueError(f"{self.text!r} is no span such as 08:00-18:00")
        start, end = _minute(found[1], found[2]), _minute(found[3], found[4])
        if start in (end, _DAY):
            raise ValueError(f"{self.text!r} is empty, 00:00-24:00 is the whole day")
        return start, end


@attrs.frozen
class Days:
    """Days of the week next to each other, or just one."""

    text: str = option("a day, or several such as mon-fri", value=True, example="mon")
    numbers: frozenset[int] = attrs.field(init=False, eq=False, repr=False)

    @numbers.default
    def _read(self) -> frozenset[int]:
        first, dash, last = (part.strip() for part in self.text.partition("-"))
        start = _day(first, self.text)
        count = (_day(last, self.text) - start) % _WEEK if dash else 0
        return frozenset((start + step) % _WEEK for step in range(count + 1))


@attrs.frozen
class Time:
    """
    Match the time at which the client was accepted, before the first byte.

    What goes on after midnight belongs to the day on which it began.
    """

    hours: tuple[Hours, ...] = option(
        "parts of the day; any one is enough",
        default=(),
        value=True,
        check=some,
        example="08:00-18:00",
    )
    days: tuple[Days, ...] = option(
        "days of the week; any one is enough", default=(), check=some, example="mon-fri"
    )
    zone: str | None = option(
        "name of the time zone; none: the system's",
        default=None,
        check=_check_zone,
        example="Europe/Berlin",
    )
    _zone: tzinfo | None = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.hours and not self.days:
            raise ValueError("nothing is chosen, hours or days are needed")

    @_zone.default
    def _find_zone(self) -> tzinfo | None:
        return _zone_of(self.zone)

    def match(self, head: Head) -> Verdict:
        now = self._now(head)
        day, minute = now.weekday(), now.hour * 60 + now.minute
        if not self.hours:
            return Verdict.of(self._is_on(day))
        spans = (one.span for one in self.hours)
        return Verdict.of(any(self._holds(*span, day, minute) for span in spans))

    def why(self, head: Head) -> Reason:
        now = self._now(head)
        chosen = "is" if self.match(head) is Verdict.YES else "is not"
        return Reason(f"{DAYS[now.weekday()]} {now:%H:%M} {chosen} a time chosen")

    def _now(self, head: Head) -> datetime:
        return datetime.fromtimestamp(head.at, self._zone)

    def _holds(self, start: int, end: int, day: int, minute: int) -> bool:
        if start < end:
            return start <= minute < end and self._is_on(day)
        begun = minute >= start and self._is_on(day)
        return begun or (minute < end and self._is_on((day - 1) % _WEEK))

    def _is_on(self, day: int) -> bool:
        return not self.days or any(day in one.numbers for one in self.days)


def _minute(hour: str, minute: str) -> int:
    """@raise ValueError: no clock shows it."""
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > _DAY:
        raise ValueError(f"{hour}:{minute} is no time, 00:00 to 24:00 are allowed")
    return found


def _day(word: str, text: str) -> int:
    """@raise ValueError: it is none."""
    for number, day in enumerate(DAYS):
        if len(word) >= 3 and day.startswith(word.lower()):
            return number
    raise ValueError(f"{text!r} is no day such as mon, and no days such as mon-fri")


def register(registry: Registry) -> None:
    registry.matcher("time", Time)
