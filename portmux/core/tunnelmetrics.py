"""plexy's metrics, with the names that it meant; each declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import attrs

from portmux.core.metrics import Labelled, Metric, Metrics


@attrs.frozen
class TunnelNumbers:
    """
    What a tunnel has done.

    @ivar stats: what plexy's C{tunnelInfo} calls so.
    @ivar remotes: by address, what its C{remotes} tells of them; also of dead ones.
    """

    tunnel: str
    stats: Mapping[str, int]
    remotes: Mapping[str, Mapping[str, int]]


Read = Callable[[Metrics], Iterable[Labelled]]


def _tunnel(key: str) -> Read:
    def read(metrics: Metrics) -> Iterator[Labelled]:
        for numbers in metrics.tunnels():
            yield (numbers.tunnel,), numbers.stats[key]

    return read


def _remote(key: str) -> Read:
    def read(metrics: Metrics) -> Iterator[Labelled]:
        for numbers in metrics.tunnels():
            for remote, stats in numbers.remotes.items():
                yield (numbers.tunnel, remote), stats[key]

    return read


_TUNNEL: Final = ("tunnel",)
_REMOTE: Final = ("tunnel", "remote")

TUNNELS: Final[tuple[Metric, ...]] = (
    Metric(
        "number_of_tunnels",
        "gauge",
        "Tunnels that are open.",
        (),
        lambda metrics: [((), len(list(metrics.tunnels())))],
    ),
    Metric(
        "tunnel_bytes_sent_total",
        "counter",
        "Octets from clients of a tunnel to its remotes.",
        _TUNNEL,
        _tunnel("bytes_sent"),
    ),
    Metric(
        "tunnel_bytes_received_total",
        "counter",
        "Octets from the remotes of a tunnel to its clients.",
        _TUNNEL,
        _tunnel("bytes_received"),
    ),
    Metric(
        "tunnel_streams_open",
        "gauge",
        "Clients of a tunnel that are there.",
        _TUNNEL,
        _tunnel("streams_open"),
    ),
    Metric(
        "tunnel_total_connections_total",
        "counter",
        "Clients of a tunnel that there were.",
        _TUNNEL,
        _tunnel("total_connections"),
    ),
    Metric(
        "tunnel_errors_total",
        "counter",
        "Attempts to connect to a remote of a tunnel that failed.",
        _REMOTE,
        _remote("total_errors"),
    ),
    Metric(
        "remote_bytes_sent_total",
        "counter",
        "Octets to a remote.",
        _REMOTE,
        _remote("bytes_sent"),
    ),
    Metric(
        "remote_bytes_received_total",
        "counter",
        "Octets from a remote.",
        _REMOTE,
        _remote("bytes_received"),
    ),
    Metric(
        "remote_streams_open",
        "gauge",
        "Clients that a remote has.",
        _REMOTE,
        _remote("streams_open"),
    ),
    Metric(
        "remote_streams_pending",
        "gauge",
        "Clients for which it is being connected to a remote.",
        _REMOTE,
        _remote("streams_pending"),
    ),
    Metric(
        "remote_total_connections_total",
        "counter",
        "Clients that a remote has had.",
        _REMOTE,
        _remote("total_connections"),
    ),
    Metric(
        "remote_errors",
        "gauge",
        "Attempts to connect to a remote that failed since one succeeded.",
        _REMOTE,
        _remote("num_errors"),
    ),
    Metric(
        "remote_total_errors_total",
        "counter",
        "Attempts to connect to a remote that failed.",
        _REMOTE,
        _remote("total_errors"),
    ),
)
