"""The picture of the figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from bench.plot import plot
from bench.report import Summary

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {
    "direct": {"short_rate": 300.0},
    "base": {"short_rate": 100.0, "idle_rss": 3.0},
    "worse": {"short_rate": 25.0, "idle_rss": 12.0},
    "better": {"short_rate": 400.0, "idle_rss": 0.5},
}
MARKS = {("worse", "short_rate"): "~!"}


class PlotTests(SynchronousTestCase):
    """What a reader sees."""

    def plot(self, figures: Mapping[str, dict[str, float]]) -> ElementTree.Element:
        """@return: the picture."""
        self.path = Path(self.mktemp())
        plot(self.path, Summary(dict(figures), MARKS), "base", ["made by a test"])
        return ElementTree.parse(self.path).getroot()

    def texts(self, figures: Mapping[str, dict[str, float]]) -> list[str]:
        return [
            "".join(one.itertext()) for one in self.plot(figures).iter(f"{SVG}text")
        ]

    def test_numbers(self) -> None:
        """Merits, in rows of metrics and columns of peers; a dash is for none."""
        found = self.texts(FIGURES)
        heads = ["direct", "worse", "better"]
        rows = ["short: connections/s", "idle: KiB/connection"]
        cells = ["3.00", "~!0.25", "4.00", "-", "0.25", "6.00"]
        wanted = [*heads, *rows, *cells]
        self.assertEqual([text for text in found if text in wanted], wanted)
        self.assertNotIn("base", found)

    def test_explained(self) -> None:
        """It says what 1 is, what marks mean, and what it is given to say."""
        found = " ".join(self.texts(FIGURES))
        for text in ("better than base", "1 is as base", "~ disturbed", "by a test"):
            self.assertIn(text, found)

    def test_colours(self) -> None:
        """Red is worse, blue is better, however far beyond the scale it is."""
        text = str(ElementTree.tostring(self.plot(FIGURES)))
        self.assertEqual(text.count("fill: #67001f"), 2)  # worse
        self.assertEqual(text.count("fill: #053061"), 2)  # better

    def test_metrics_without_figures(self) -> None:
        """What was not measured has no row."""
        figures = {peer: {"up_cpu": 1.0} for peer in ("base", "ours")}
        found = self.texts(figures)
        self.assertIn("up: CPU s/GiB", found)
        self.assertNotIn("short: connections/s", found)

    def test_nothing_measurable(self) -> None:
        """A merit of nothing is none, not an error."""
        figures = {"base": {"up_gbit": 1.0}, "ours": {"up_gbit": 0.0}}
        self.plot(figures)

    def test_equal_figures_equal_files(self) -> None:
        """What differs is what was measured."""
        self.plot(FIGURES)
        first = self.path.read_bytes()
        self.plot(FIGURES)
        self.assertEqual(self.path.read_bytes(), first)
