"""C{portmux ctl top}: a table of what goes on, drawn anew every second."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from portmux.commands.talk import Talk

INTERVAL: Final = 1.0
"""Seconds between two pictures (taste)."""

MOST: Final = 1000
"""Sessions that are asked for; those that move most are shown."""

_HOME: Final = "\x1b[H\x1b[2J"
"""Clears a terminal. ECMA-48, CUP and ED."""

Row = Mapping[str, Any]


@attrs.frozen
class Picture:
    """What was told at one time. @ivar at: seconds of any clock."""

    at: float
    version: Row
    listeners: Sequence[Row]
    backends: Sequence[Row]
    sessions: Sequence[Row]

    def told(self) -> Mapping[str, Any]:
        """@return: for programs, without the time of a clock that they do not know."""
        told = attrs.asdict(self, recurse=False)
        del told["at"]
        return told


def taken(talk: Talk, at: float) -> Picture:
    """@return: what goes on now."""
    return Picture(
        at,
        talk.call("version", {}),
        talk.call("listeners", {}),
        talk.call("backends", {}),
        talk.call("sessions", {"limit": MOST}),
    )


def drawn(before: Picture, now: Picture, width: int, height: int) -> Iterator[str]:
    """@return: lines, no more and no longer than a terminal has place for."""
    lines = list(_whole(before, now))
    yield from (line[:width] for line in lines[: max(1, height - 1)])


def show(talk: Talk, once: bool) -> None:
    """Draw until somebody interrupts it; or once, two moments apart."""
    before = taken(talk, time.monotonic())
    while True:
        time.sleep(INTERVAL)  # noqa: TID251 -- here is no reactor
        now = taken(talk, time.monotonic())
        columns, lines = shutil.get_terminal_size()
        text = "\n".join(drawn(before, now, columns, 10_000 if once else lines))
        print(text if once else _HOME + text, flush=True)
        if once:
            return
        before = now


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """@return: lines, in which each column has the width that it needs."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def octets(number: float) -> str:
    """@return: C{1.5M} for one and a half million."""
    for unit in ("", "k", "M", "G"):
        if number < 1000:
            return f"{number:.0f}{unit}" if not unit else f"{number:.1f}{unit}"
        number /= 1000
    return f"{number:.1f}T"


def _whole(before: Picture, now: Picture) -> Iterator[str]:
    version, seconds = now.version, max(now.at - before.at, 0.001)
    rates = _rates(before.listeners, now.listeners, "listener", seconds)
    accepted = sum(
        max(0, row["accepted"] - old["accepted"])
        for row, old in _pairs(before.listeners, now.listeners, "listener")
    )
    yield (
        f"portmux {version['version']}, up {version['seconds']}s,"
        f" {version['sessions']} session(s), {accepted / seconds:.0f} new/s,"
        f" {octets(sum(rate[0] for rate in rates.values()))}/s sent,"
        f" {octets(sum(rate[1] for rate in rates.values()))}/s received"
    )
    yield ""
    yield from table(
        [
            ("LISTENER", "LIVE", "ACCEPTED", "SENT/s", "RECEIVED/s"),
            *(_listener(row, rates) for row in now.listeners),
        ]
    )
    yield ""
    rates = _rates(before.backends, now.backends, "backend", seconds)
    yield from table(
        [
            ("BACKEND", "POOL", "STATE", "LIVE", "SENT/s", "RECEIVED/s", "ERRORS"),
            *(_backend(row, rates) for row in now.backends),
        ]
    )
    yield ""
    rates = _rates(before.sessions, now.sessions, "session", seconds)
    busy = sorted(now.sessions, key=lambda row: -sum(rates[row["session"]]))
    yield from table(
        [
            (
                "SESSION",
                "LISTENER",
                "ROUTE",
                "CLIENT",
                "BACKEND",
                "SECONDS",
                "SENT/s",
                "RECEIVED/s",
            ),
            *(_session(row, rates) for row in busy),
        ]
    )


_Rates = Mapping[Any, tuple[float, float]]


def _key(row: Row, key: str) -> Any:
    return (row["pool"], row[key]) if key == "backend" else row[key]


def _pairs(
    before: Sequence[Row], now: Sequence[Row], key: str
) -> Iterator[tuple[Row, Row]]:
    """@return: each row of now, and what it was; what is new was itself."""
    old = {_key(row, key): row for row in before}
    return ((row, old.get(_key(row, key), row)) for row in now)


def _rates(
    before: Sequence[Row], now: Sequence[Row], key: str, seconds: float
) -> _Rates:
    """@return: octets a second, sent and received."""
    return {
        _key(row, key): (
            max(0, row["sent"] - old["sent"]) / seconds,
            max(0, row["received"] - old["received"]) / seconds,
        )
        for row, old in _pairs(before, now, key)
    }


def _listener(row: Row, rates: _Rates) -> tuple[str, ...]:
    sent, received = rates[row["listener"]]
    name, live, accepted = row["listener"], row["sessions"], row["accepted"]
    return name, str(live), str(accepted), octets(sent), octets(received)


def _backend(row: Row, rates: _Rates) -> tuple[str, ...]:
    sent, received = rates[_key(row, "backend")]
    return (
        row["backend"],
        row["pool"],
        row["state"],
        str(row["sessions"]),
        octets(sent),
        octets(received),
        str(row["errors"]),
    )


def _session(row: Row, rates: _Rates) -> tuple[str, ...]:
    sent, received = rates[row["session"]]
    return (
        str(row["session"]),
        row["listener"],
        row["route"],
        row["client"],
        row["backend"] or "-",
        f"{row['seconds']:.0f}",
        octets(sent),
        octets(received),
    )
