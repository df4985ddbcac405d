"""The metrics of pools and their backends, each declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from portmux.core.backend import Backend, State
from portmux.core.counts import Histogram
from portmux.core.metrics import Labelled, Metric, Metrics
from portmux.core.pool import Pool

_POOL: Final = ("pool",)
_BACKEND: Final = ("pool", "backend")


def _pools(
    number: Callable[[Pool], int | Histogram],
) -> Callable[[Metrics], Iterator[Labelled]]:
    """@return: reads one number for each pool."""

    def read(metrics: Metrics) -> Iterator[Labelled]:
        for pool in metrics.pools:
            yield (pool.name,), number(pool)

    return read


def _backends(
    number: Callable[[Backend], int],
) -> Callable[[Metrics], Iterator[Labelled]]:
    """@return: reads one number for each backend of each pool."""

    def read(metrics: Metrics) -> Iterator[Labelled]:
        for pool in metrics.pools:
            for backend in pool.backends:
                yield (pool.name, str(backend.address)), number(backend)

    return read


def _states(metrics: Metrics) -> Iterator[Labelled]:
    for pool in metrics.pools:
        states = [backend.state for backend in pool.backends]
        for state in State:
            yield (pool.name, state.value), states.count(state)


POOLS: Final[tuple[Metric, ...]] = (
    Metric(
        "portmux_pool_backends",
        "gauge",
        "Backends of a pool, by their state.",
        ("pool", "state"),
        _states,
    ),
    Metric(
        "portmux_backend_up",
        "gauge",
        "Whether a backend is up; 0 if it is ejected, draining or disabled.",
        _BACKEND,
        _backends(lambda backend: backend.state is State.UP),
    ),
    Metric(
        "portmux_backend_weight",
        "gauge",
        "The part of the sessions that a backend gets, beside others' weights.",
        _BACKEND,
        _backends(lambda backend: backend.weight),
    ),
    Metric(
        "portmux_backend_sessions_open",
        "gauge",
        "Sessions that have a backend now, those that are connecting included.",
        _BACKEND,
        _backends(lambda backend: backend.active),
    ),
    Metric(
        "portmux_backend_sessions_pending",
        "gauge",
        "Sessions that are connecting to a backend.",
        _BACKEND,
        _backends(lambda backend: backend.pending),
    ),
    Metric(
        "portmux_backend_sessions_total",
        "counter",
        "Sessions that were connected to a backend.",
        _BACKEND,
        _backends(lambda backend: backend.totals.sessions),
    ),
    Metric(
        "portmux_backend_errors_total",
        "counter",
        "Attempts to connect to a backend that failed, checks of an ejected one "
        "included.",
        _BACKEND,
        _backends(lambda backend: backend.totals.errors),
    ),
    Metric(
        "portmux_backend_ejections_total",
        "counter",
        "Times that a backend was ejected.",
        _BACKEND,
        _backends(lambda backend: backend.totals.ejections),
    ),
    Metric(
        "portmux_backend_sent_bytes_total",
        "counter",
        "Octets that were passed on to a backend, in sessions that have ended.",
        _BACKEND,
        _backends(lambda backend: backend.totals.sent),
    ),
    Metric(
        "portmux_backend_received_bytes_total",
        "counter",
        "Octets that came from a backend, in sessions that have ended.",
        _BACKEND,
        _backends(lambda backend: backend.totals.received),
    ),
    Metric(
        "portmux_queue_sessions",
        "gauge",
        "Sessions that wait for a backend with room.",
        _POOL,
        _pools(lambda pool: pool.queued),
    ),
    Metric(
        "portmux_queue_refused_total",
        "counter",
        "Sessions that found the queue full.",
        _POOL,
        _pools(lambda pool: pool.waiting.refused),
    ),
    Metric(
        "portmux_queue_expired_total",
        "counter",
        "Sessions that waited for as long as they may.",
        _POOL,
        _pools(lambda pool: pool.waiting.expired),
    ),
    Metric(
        "portmux_queue_seconds",
        "histogram",
        "Time that sessions have waited for a backend with room.",
        _POOL,
        _pools(lambda pool: pool.waiting.waited),
    ),
)
