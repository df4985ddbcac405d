"""Say the metrics as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from portmux.core.counts import Histogram
from portmux.core.metrics import METRICS, Metric, Metrics
from portmux.core.muxmetrics import MUXES
from portmux.core.poolmetrics import POOLS
from portmux.core.tunnelmetrics import TUNNELS


def exposition(metrics: Metrics) -> Callable[[str], tuple[bytes, str]]:
    """@return: given what a client accepts, says all numbers, and the text's type."""
    registry = CollectorRegistry()
    registry.register(_Numbers(metrics))

    def render(accept: str) -> tuple[bytes, str]:
        encode, kind = choose_encoder(accept)
        return encode(registry), kind

    return render


class _Numbers(Collector):
    """Asked at each scrape; keeps nothing."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Family]:
        for metric in (*METRICS, *POOLS, *MUXES, *TUNNELS):
            yield _family(metric, self._metrics)


def _family(metric: Metric, metrics: Metrics) -> Family:
    name, text, labels = metric.name, metric.help, metric.labels
    if metric.kind == "histogram":
        family = HistogramMetricFamily(name, text, labels=labels)
        for values, number in metric.read(metrics):
            assert isinstance(number, Histogram)
            family.add_metric(values, _buckets(number), number.total)
        return family
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    plain = kind(name, text, labels=labels)
    for values, number in metric.read(metrics):
        assert isinstance(number, int)
        plain.add_metric(values, number)
    return plain


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Prometheus' buckets hold those below them, too."""
    ends = [*map(str, histogram.bounds), "+Inf"]
    return list(zip(ends, accumulate(histogram.counts), strict=True))
