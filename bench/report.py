"""What the runs amount to: medians of undisturbed runs, ratios, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

#: CPU seconds a second that others took of the two cores; with more of it a
#: run counts as disturbed. Below it the figures of an idle machine hold.
MOST_FOREIGN = 0.12

#: Undisturbed runs of a cell that make the disturbed ones superfluous.
ENOUGH = 2


@dataclass(frozen=True)
class Run:
    """
    One measured run.

    @ivar foreign: CPU seconds a second taken by processes not of the run.
    @ivar values: by the name of a L{Metric}.
    @ivar load: what the load generator said.
    """

    peer: str
    mode: str
    foreign: float
    values: dict[str, float]
    load: dict[str, float]


@dataclass(frozen=True)
class Metric:
    """
    @ivar title: the head of its row.
    @ivar places: digits after the point, in the table of absolute figures.
    @ivar inverse: its ratio is the base's figure divided by the peer's, so that
        more is better where less of the figure is.
    @ivar more: whether more of the figure is better.
    """

    name: str
    title: str
    places: int
    inverse: bool = False
    more: bool = False


METRICS = (
    Metric("short_rate", "short: connections/s", 0, more=True),
    Metric("short_cpu", "short: CPU us/connection", 1, inverse=True),
    Metric("short_p50", "short: p50 us", 0),
    Metric("short_p99", "short: p99 us", 0),
    Metric("up_gbit", "up: Gbit/s", 1, more=True),
    Metric("up_cpu", "up: CPU s/GiB", 3),
    Metric("down_gbit", "down: Gbit/s", 1, more=True),
    Metric("down_cpu", "down: CPU s/GiB", 3),
    Metric("pp_rate", "pp: messages/s", 0, more=True),
    Metric("pp_cpu", "pp: CPU us/message", 1, inverse=True),
    Metric("pp_p50", "pp: p50 us", 0),
    Metric("pp_p99", "pp: p99 us", 0),
    Metric("rtt_p50", "rtt: round trip us", 1),
    Metric("rtt_added", "rtt: added to direct us", 1),
    Metric("idle_rss", "idle: KiB/connection", 2),
)

Figures = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Summary:
    """
    @ivar figures: by peer, then by metric: the medians.
    @ivar marks: by peer and metric: C{~} where fewer than two runs were
        undisturbed, C{!} where connections failed.
    """

    figures: Figures
    marks: dict[tuple[str, str], str]


def chosen(runs: Sequence[Run]) -> tuple[Sequence[Run], bool]:
    """@return: the runs of one cell that count, and whether they are disturbed."""
    clean = [run for run in runs if run.foreign <= MOST_FOREIGN]
    if len(clean) >= ENOUGH:
        return clean, False
    return runs, len(clean) < len(runs)


def cells(
    runs: Iterable[Run], order: Sequence[str]
) -> dict[tuple[str, str], list[Run]]:
    """@return: runs by peer and mode, the peers in C{order}."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(runs, key=lambda run: order.index(run.peer)):
        found.setdefault((run.peer, run.mode), []).append(run)
    return found


def summarise(runs: Iterable[Run], order: Sequence[str], direct: str) -> Summary:
    """
    @param order: of the peers.
    @param direct: the peer whose round trip is the floor for C{rtt_added}.
    """
    summary = Summary({}, {})
    for (peer, _), cell in cells(runs, order).items():
        counted, disturbed = chosen(cell)
        mark = "~" * disturbed + "!" * any(run.load["errors"] for run in counted)
        for name in counted[0].values:
            values = summary.figures.setdefault(peer, {})
            values[name] = median(run.values[name] for run in counted)
            summary.marks[peer, name] = mark
    floor = summary.figures.get(direct, {}).get("rtt_p50")
    for peer, values in summary.figures.items():
        if floor is not None and peer != direct and "rtt_p50" in values:
            values["rtt_added"] = values["rtt_p50"] - floor
            mark = summary.marks[peer, "rtt_p50"] or summary.marks[direct, "rtt_p50"]
            summary.marks[peer, "rtt_added"] = mark
    return summary


def ratios(figures: Figures, base: str, metrics: Sequence[Metric]) -> Figures:
    """@return: each peer's figures as ratios to those of C{base}; see L{Metric}."""
    result: Figures = {}
    for peer, values in figures.items():
        for metric in metrics:
            mine = values.get(metric.name)
            theirs = figures.get(base, {}).get(metric.name)
            above, below = (theirs, mine) if metric.inverse else (mine, theirs)
            if above is not None and below:
                result.setdefault(peer, {})[metric.name] = above / below
    return result


def merits(figures: Figures, base: str) -> Figures:
    """@return: as L{ratios}, all turned so that more is better."""
    turned = [replace(metric, inverse=not metric.more) for metric in METRICS]
    return ratios(figures, base, turned)


def faults(runs: Iterable[Run], order: Sequence[str]) -> list[str]:
    """@return: a line for each cell with errors or inexact half-closes."""
    lines = []
    for (peer, mode), cell in cells(runs, order).items():
        errors = sum(run.load["errors"] for run in cell)
        done = sum(run.load["done"] for run in cell)
        if errors:
            lines.append(f"{peer}, {mode}: {errors:.0f} errors, {done:.0f} done")
        streams = sum(run.load["count"] for run in cell)
        exact = sum(run.load["exact"] for run in cell)
        if mode in ("up", "down") and exact < streams:
            lines.append(
                f"{peer}, {mode}: {exact:.0f} of {streams:.0f} half-closed streams "
                "ended with exact counts"
            )
    return lines


def table(
    summary: Summary,
    figures: Figures,
    metrics: Sequence[Metric],
    *,
    ratio: bool = False,
) -> str:
    """
    @param figures: those of C{summary}, or ratios of them.
    @return: metrics down, peers across, each figure with its marks; in Markdown.
    """
    rows = [["", *figures]]
    for metric in metrics:
        row = [metric.title]
        for peer, values in figures.items():
            mark = summary.marks.get((peer, metric.name), "")
            value = values.get(metric.name)
            places = 2 if ratio else metric.places
            row.append("-" if value is None else f"{mark}{value:.{places}f}")
        if set(row[1:]) != {"-"}:
            rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = (_line(row, widths) for row in rows)
    return "\n".join([head, _rule(widths), *body])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
    cells[0] = row[0].ljust(widths[0])
    return f"| {' | '.join(cells)} |"


def _rule(widths: Sequence[int]) -> str:
    first, *others = widths
    cells = ["-" * (first + 2), *("-" * (width + 1) + ":" for width in others)]
    return f"|{'|'.join(cells)}|"
