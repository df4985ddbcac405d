"""Test portmux.app.exposition: what it says is read by Prometheus' own parser."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_families,
)
from prometheus_client.parser import text_string_to_metric_families as families
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.exposition import exposition
from portmux.core.metrics import METRICS, Metrics

OPEN = "application/openmetrics-text; version=1.0.0"


class ExpositionTests(SynchronousTestCase):
    def setUp(self) -> None:
        metrics = Metrics("1.2.3", lambda: (4, 1000))
        front = metrics.listener("front")
        metrics.opened("front", front)
        front.accepted = 3
        front.backend("unix:/run/a b").connected.observe(0.3)
        self.render = exposition(metrics)

    def samples(self, accept: str) -> dict[tuple[str, ...], float]:
        """@return: by name and labels in the order of their names, each number."""
        text = self.render(accept)[0].decode()
        parse = open_families if accept else families
        return {
            (sample.name, *(one for _, one in sorted(sample.labels.items()))): (
                sample.value
            )
            for family in parse(text)
            for sample in family.samples
        }

    def test_every_metric(self) -> None:
        """Each stands there with what it means, also if it has no number yet."""
        text = self.render("")[0].decode()
        for metric in METRICS:
            self.assertIn(f"# HELP {metric.name} {metric.help}\n", text)
            self.assertIn(f"# TYPE {metric.name} {metric.kind}\n", text)

    def test_numbers(self) -> None:
        """In the old format, and in the one that Prometheus asks for first."""
        for accept in ("", OPEN):
            found = self.samples(accept)
            self.assertEqual(found["portmux_accepted_total", "front"], 3)
            self.assertEqual(found["portmux_info", "1.2.3"], 1)
            self.assertEqual(found["portmux_descriptors_used",], 4)

    def test_buckets(self) -> None:
        """Each holds what the smaller ones hold."""
        found = self.samples("")
        name, labels = "portmux_connect_seconds", ("unix:/run/a b", "front")
        backend, front = labels
        below = [
            found[f"{name}_bucket", backend, le, front] for le in ("0.1", "0.5", "+Inf")
        ]
        self.assertEqual(below, [0, 1, 1])
        self.assertEqual(found[f"{name}_count", *labels], 1)
        self.assertEqual(found[f"{name}_sum", *labels], 0.3)

    def test_type(self) -> None:
        """The content type tells which format it is."""
        self.assertRegex(self.render("")[1], "^text/plain; version=")
        self.assertRegex(self.render(OPEN)[1], "^application/openmetrics-text; ")
