"""Every metric, declared once: its name, its labels, what it says, and its number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal

import attrs

from portmux.core.counts import MOST, OTHER, Counts, Histogram, Passed, Tally
from portmux.core.pool import Pool


@attrs.define(eq=False)
class Metrics:
    """
    All there is to read.

    @ivar descriptors: how many sessions have reserved, and how many they may.
    @ivar reloads: how many succeeded.
    @ivar refused: reloads that changed nothing.
    @ivar pools: that there are now.
    @ivar tunnels: asked for L{portmux.core.tunnelmetrics.TunnelNumbers}.
    """

    version: str
    descriptors: Callable[[], tuple[int, int]]
    reloads: int = 0
    refused: int = 0
    listeners: dict[str, Counts] = attrs.field(factory=dict)
    pools: Iterable[Pool] = ()
    tunnels: Callable[[], Iterable[Any]] = tuple

    def listener(self, name: str) -> Counts:
        """
        @return: the listener's; also after it was gone and came back. Those of a new
            one are read by nobody until it is C{opened}.
        """
        if name not in self.listeners and len(self.listeners) >= MOST:
            return self.listeners.setdefault(OTHER, Counts())
        return self.listeners.get(name) or Counts()

    def opened(self, name: str, counts: Counts) -> None:
        """@param counts: what L{listener} has said."""
        if counts is not self.listeners.get(OTHER):
            self.listeners[name] = counts


Labelled = tuple[tuple[str, ...], "int | Histogram"]
"""The values of a metric's labels in order, and its number."""


@attrs.frozen
class Metric:
    """
    @ivar help: one line, with a full stop at its end.
    @ivar read: asked when somebody wants to know.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...]
    read: Callable[[Metrics], Iterable[Labelled]]


_Of = Callable[[Counts], "int | Histogram"]


def _each(number: _Of) -> Callable[[Metrics], Iterator[Labelled]]:
    """@return: reads one number for each listener."""

    def read(metrics: Metrics) -> Iterator[Labelled]:
        for name, counts in metrics.listeners.items():
            yield (name,), number(counts)

    return read


def _sessions(metrics: Metrics) -> Iterator[Labelled]:
    for name, counts in metrics.listeners.items():
        for (route, cause), passed in counts.passed.items():
            yield (name, route, cause), passed.sessions


def _octets(number: Callable[[Passed], int]) -> Callable[[Metrics], Iterator[Labelled]]:
    """@return: reads one number for each route."""

    def read(metrics: Metrics) -> Iterator[Labelled]:
        for name, counts in metrics.listeners.items():
            sums: dict[str, int] = {}
            for (route, _), passed in counts.passed.items():
                sums[route] = sums.get(route, 0) + number(passed)
            for route, total in sums.items():
                yield (name, route), total

    return read


def _ends(metrics: Metrics) -> Iterator[Labelled]:
    for name, counts in metrics.listeners.items():
        for end, number in counts.ends.items():
            yield (name, end), number


def _refusals(metrics: Metrics) -> Iterator[Labelled]:
    for (name, end), number in _ends(metrics):
        if end.startswith("limit-"):
            yield (name, end.removeprefix("limit-")), number


def _backends(
    number: Callable[[Tally], int | Histogram],
) -> Callable[[Metrics], Iterator[Labelled]]:
    """@return: reads one number for each backend."""

    def read(metrics: Metrics) -> Iterator[Labelled]:
        for name, counts in metrics.listeners.items():
            for backend, tally in counts.backends.items():
                yield (name, backend), number(tally)

    return read


def _reloads(metrics: Metrics) -> Iterator[Labelled]:
    yield ("ok",), metrics.reloads
    yield ("refused",), metrics.refused


_LISTENER: Final = ("listener",)
_ROUTE: Final = ("listener", "route")
_BACKEND: Final = ("listener", "backend")

METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "portmux_info",
        "gauge",
        "The version that runs; always 1.",
        ("version",),
        lambda metrics: [((metrics.version,), 1)],
    ),
    Metric(
        "portmux_accepted_total",
        "counter",
        "Connections that were accepted, refused ones included.",
        _LISTENER,
        _each(lambda counts: counts.accepted),
    ),
    Metric(
        "portmux_sessions_open",
        "gauge",
        "Sessions that are live.",
        _LISTENER,
        _each(lambda counts: counts.live),
    ),
    Metric(
        "portmux_sessions_total",
        "counter",
        "Sessions that have ended, by the route they took and why; see the record.",
        (*_ROUTE, "cause"),
        _sessions,
    ),
    Metric(
        "portmux_ends_total",
        "counter",
        "Sessions that have ended, by how; see the record.",
        ("listener", "reason"),
        _ends,
    ),
    Metric(
        "portmux_refused_total",
        "counter",
        "Sessions that a limit has refused.",
        ("listener", "limit"),
        _refusals,
    ),
    Metric(
        "portmux_bans_total",
        "counter",
        "Times that a source was banned.",
        _LISTENER,
        _each(lambda counts: counts.bans),
    ),
    Metric(
        "portmux_sent_bytes_total",
        "counter",
        "Octets from clients that were passed on, in sessions that have ended.",
        _ROUTE,
        _octets(lambda passed: passed.sent),
    ),
    Metric(
        "portmux_received_bytes_total",
        "counter",
        "Octets that were passed on to clients, in sessions that have ended.",
        _ROUTE,
        _octets(lambda passed: passed.received),
    ),
    Metric(
        "portmux_sniff_seconds",
        "histogram",
        "Time from accepting a connection to the decision, of sessions that have "
        "ended.",
        _LISTENER,
        _each(lambda counts: counts.sniffed),
    ),
    Metric(
        "portmux_connect_attempts_total",
        "counter",
        "Attempts to connect to a backend.",
        _BACKEND,
        _backends(lambda tally: tally.attempts),
    ),
    Metric(
        "portmux_connect_errors_total",
        "counter",
        "Attempts to connect to a backend that failed.",
        _BACKEND,
        _backends(lambda tally: tally.errors),
    ),
    Metric(
        "portmux_connect_seconds",
        "histogram",
        "Time that it took to connect to a backend, where it succeeded.",
        _BACKEND,
        _backends(lambda tally: tally.connected),
    ),
    Metric(
        "portmux_reloads_total",
        "counter",
        "Reloads, by whether the configuration came into force or was refused.",
        ("result",),
        _reloads,
    ),
    Metric(
        "portmux_descriptors_used",
        "gauge",
        "Open files that live sessions have reserved.",
        (),
        lambda metrics: [((), metrics.descriptors()[0])],
    ),
    Metric(
        "portmux_descriptors_allowed",
        "gauge",
        "Open files that sessions may reserve before accepting pauses.",
        (),
        lambda metrics: [((), metrics.descriptors()[1])],
    ),
)
