"""The metrics of multiplexers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from portmux.core.counts import Histogram
from portmux.core.metrics import Labelled, Metric, Metrics
from portmux.core.mux.tally import Tally

_ROUTE: Final = ("listener", "route")
_UNIT: Final = (*_ROUTE, "unit")


def _tallies(metrics: Metrics) -> Iterator[tuple[tuple[str, str], Tally]]:
    for name, counts in metrics.listeners.items():
        for route, tally in counts.muxes.items():
            yield (name, route), tally


def _each(
    number: Callable[[Tally], int | Histogram],
) -> Callable[[Metrics], Iterator[Labelled]]:
    """@return: reads one number for each multiplexer."""

    def read(metrics: Metrics) -> Iterator[Labelled]:
        for labels, tally in _tallies(metrics):
            yield labels, number(tally)

    return read


def _results(metrics: Metrics) -> Iterator[Labelled]:
    for labels, tally in _tallies(metrics):
        for result, number in tally.results.items():
            yield (*labels, result), number


def _units(metrics: Metrics) -> Iterator[Labelled]:
    for labels, tally in _tallies(metrics):
        for name, unit in tally.units.items():
            for result, number in unit.results.items():
                yield (*labels, name, result), number


def _unit_seconds(metrics: Metrics) -> Iterator[Labelled]:
    for labels, tally in _tallies(metrics):
        for name, unit in tally.units.items():
            yield (*labels, name), unit.answered


MUXES: Final[tuple[Metric, ...]] = (
    Metric(
        "portmux_mux_requests_total",
        "counter",
        "Requests that are over, by what became of them.",
        (*_ROUTE, "result"),
        _results,
    ),
    Metric(
        "portmux_mux_queue",
        "gauge",
        "Requests that wait for their turn.",
        _ROUTE,
        _each(lambda tally: tally.queued),
    ),
    Metric(
        "portmux_mux_connections",
        "gauge",
        "Connections to targets that are there.",
        _ROUTE,
        _each(lambda tally: tally.open),
    ),
    Metric(
        "portmux_mux_dials_total",
        "counter",
        "Attempts to connect to a target.",
        _ROUTE,
        _each(lambda tally: tally.dialled),
    ),
    Metric(
        "portmux_mux_failures_total",
        "counter",
        "Connections to targets that failed, or ended without an answer.",
        _ROUTE,
        _each(lambda tally: tally.failures),
    ),
    Metric(
        "portmux_mux_repeated_total",
        "counter",
        "Requests that were sent once more, as their connection was lost.",
        _ROUTE,
        _each(lambda tally: tally.repeated),
    ),
    Metric(
        "portmux_mux_unsolicited_total",
        "counter",
        "Frames of targets that belonged to no request, and were dropped.",
        _ROUTE,
        _each(lambda tally: tally.unsolicited),
    ),
    Metric(
        "portmux_mux_wait_seconds",
        "histogram",
        "Time from a request to its turn.",
        _ROUTE,
        _each(lambda tally: tally.waited),
    ),
    Metric(
        "portmux_mux_answer_seconds",
        "histogram",
        "Time from sending a request to its answer.",
        _ROUTE,
        _each(lambda tally: tally.answered),
    ),
    Metric(
        "portmux_mux_unit_requests_total",
        "counter",
        "Requests for each unit behind a target, by what became of them.",
        (*_UNIT, "result"),
        _units,
    ),
    Metric(
        "portmux_mux_unit_answer_seconds",
        "histogram",
        "Time from sending a request to a unit to its answer.",
        _UNIT,
        _unit_seconds,
    ),
)
