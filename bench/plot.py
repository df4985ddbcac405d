"""The figures in one picture: how each proxy does beside another one, in SVG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log2
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bench.report import METRICS, Metric, Summary, merits

#: The colours are full where a proxy is this many times better, or worse.
FULL = 4.0

#: From here on, of 0 to 1, a colour is too dark for black text.
DARK = 0.7

#: A square of the table, in inches.
WIDTH, HEIGHT = 1.05, 0.32


def plot(path: Path, summary: Summary, base: str, notes: Sequence[str]) -> None:
    """
    Draw a table: the colours tell what its numbers do.

    @param base: the peer that all others are compared with.
    @param notes: lines to stand below.
    @raise OSError: C{path} cannot be written.
    """
    found = merits(summary.figures, base)
    peers = [peer for peer in found if peer != base]
    named = {name for peer in peers for name in found[peer]}
    metrics = [metric for metric in METRICS if metric.name in named]
    # Equal figures give equal files, and text stays text.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "bench"}):
        size = (2 + WIDTH * max(4, len(peers)), 1.6 + HEIGHT * len(metrics))
        figure = Figure(figsize=size, layout="constrained")
        figure.suptitle(f"How many times better than {base}", weight="bold")
        axes = figure.add_subplot()
        _frame(axes, peers, metrics)
        for row, metric in enumerate(metrics):
            for column, peer in enumerate(peers):
                merit = found[peer].get(metric.name)
                mark = summary.marks.get((peer, metric.name), "")
                _square(axes, column, row, merit, mark)
        below = [
            f"1 is as {base}; in every row, also of times and costs, more is better",
            "~ disturbed runs   ! runs in which connections failed",
            *notes,
        ]
        figure.supxlabel("\n".join(below), size=8, color="dimgrey")
        figure.savefig(path, format="svg", metadata={"Date": None})


def _frame(axes: Axes, peers: Sequence[str], metrics: Sequence[Metric]) -> None:
    """Heads of columns and rows, and a line between modes."""
    axes.set_xlim(-0.5, len(peers) - 0.5)
    axes.set_ylim(len(metrics) - 0.5, -0.5)
    axes.set_xticks(range(len(peers)), peers)
    axes.set_yticks(range(len(metrics)), [metric.title for metric in metrics])
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    modes = [metric.title.partition(":")[0] for metric in metrics]
    for row, (above, below) in enumerate(pairwise(modes)):
        if above != below:
            axes.axhline(row + 0.5, color="black", linewidth=0.8)


def _square(axes: Axes, column: int, row: int, merit: float | None, mark: str) -> None:
    """Blue where it is better, red where it is worse; equal steps for equal factors."""
    if not merit:
        axes.text(column, row, "-", ha="center", va="center", color="dimgrey")
        return
    strength = max(-1.0, min(1.0, log2(merit) / log2(FULL)))
    colour = matplotlib.colormaps["RdBu"]((strength + 1) / 2)
    corner = (column - 0.48, row - 0.45)
    axes.add_patch(Rectangle(corner, 0.96, 0.9, facecolor=colour))
    ink = "white" if abs(strength) > DARK else "black"
    text = f"{mark}{merit:.2f}"
    axes.text(column, row, text, ha="center", va="center", color=ink)
