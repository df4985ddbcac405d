"""
How numbers, durations, sizes and truth are written.

A reader raises ValueError with what is wrong and what is allowed; a writer
gives text that reads as the same value.
"""

from __future__ import annotations

import re
from decimal import Decimal

from portmux.config.faults import guess, quoted

DURATION = "a duration such as 500ms, 3s or 1m30s"
SIZE = "a size such as 16KiB or 10MB"
INTEGER = "a whole number"
NUMBER = "a number"
TRUTH = "true or false"

_N = r"[0-9]+(?:\.[0-9]+)?"
_DECIMAL = re.compile(_N)
_DURATION = re.compile(
    rf"(?:(?P<d>{_N})d)?(?:(?P<h>{_N})h)?(?:(?P<m>{_N})m(?!s))?"
    rf"(?:(?P<s>{_N})s)?(?:(?P<ms>{_N})ms)?"
)
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_SIZE = re.compile(rf"(?P<number>{_N}) ?(?P<unit>[A-Za-z]*)")
_OCTETS = {"": 1, "B": 1, "kB": 1000} | {
    letter + suffix: base**power
    for suffix, base in (("B", 1000), ("iB", 1024))
    for power, letter in enumerate("KMGT", start=1)
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_REAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")

_LONGEST = 1000 * 86400.0
"""Seconds; from taste. Timers far beyond it overflow somewhere below us."""

_MOST = 1 << 53
"""From here on a float no longer holds every whole number."""


def seconds(text: str) -> float:
    """@raise ValueError: not a duration, or longer than a thousand days."""
    if _DECIMAL.fullmatch(text):
        total = float(text)
    elif text and (found := _DURATION.fullmatch(text)):
        parts = found.groupdict().items()
        total = sum(_seconds(float(number), unit) for unit, number in parts if number)
    else:
        raise ValueError(_wrong(text, DURATION))
    if total > _LONGEST:
        raise ValueError(f"{quoted(text)} is too long, at most 1000d is allowed")
    return total


def octets(text: str) -> int:
    """@raise ValueError: not a size, or not a whole number of octets."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(_wrong(text, SIZE))
    unit = found["unit"]
    if unit not in _OCTETS:
        raise ValueError(_wrong(text, SIZE) + guess(unit, _OCTETS))
    size = float(found["number"]) * _OCTETS[unit]
    if size >= _MOST:
        raise ValueError(f"{quoted(text)} is too large, {SIZE} is allowed")
    if not size.is_integer():
        raise ValueError(f"{quoted(text)} is not a whole number of octets")
    return int(size)


def integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(_wrong(text, INTEGER))
    if len(text) > 16:
        raise ValueError(f"{quoted(text)} is too large, {INTEGER} is allowed")
    return int(text)


def real(text: str) -> float:
    if not _REAL.fullmatch(text):
        raise ValueError(_wrong(text, NUMBER))
    value = float(text)
    if abs(value) >= _MOST:
        raise ValueError(f"{quoted(text)} is too large, {NUMBER} is allowed")
    return value


def truth(text: str) -> bool:
    """Only C{true} and C{false}: elsewhere C{no} is Norway."""
    if text in ("true", "false"):
        return text == "true"
    meant = {"on": "true", "yes": "true", "off": "false", "no": "false"}
    word = meant.get(text.lower(), text)
    raise ValueError(_wrong(text, TRUTH) + guess(word, ("true", "false")))


def show_seconds(value: float) -> str:
    """@return: C{1m30s} for 90, C{500ms} for 0.5."""
    if value < 1 and (milliseconds := round(value * 1000)) / 1000 == value > 0:
        return f"{milliseconds}ms"
    if value != int(value):
        return f"{Decimal(repr(value)):f}s"
    shown, rest = "", int(value)
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_SECONDS[unit]))
        shown += f"{count}{unit}" if count else ""
    return shown or "0s"


def show_octets(value: int) -> str:
    """@return: C{64KiB} for 65536."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % _OCTETS[unit] == 0:
            return f"{value // _OCTETS[unit]}{unit}"
    return str(value)


def show_truth(value: bool) -> str:
    return "true" if value else "false"


def _seconds(number: float, unit: str) -> float:
    """Divided, 9 milliseconds are 0.009; multiplied by 0.001 they are not."""
    return number / 1000 if unit == "ms" else number * _SECONDS[unit]


def _wrong(text: str, allowed: str) -> str:
    return f"{quoted(text)} is not {allowed}"
