"""
The data path beside a busy control plane: C{python3 -m bench.control}.

Short runs of load, alternately without clients of the control plane and with many:
half of them on the line protocol, half on JSON-RPC; a quarter never reads what it
asked for, the others ask at a common pace. The figures are times of the data path,
and the ratios between both.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.crowd import Crowd, Dialect, by_lines, by_rpc
from bench.measure import MODES, Target, measure, two_cores
from bench.peers import Peer, Site, portmux_config
from bench.processes import (
    BenchError,
    allow_files,
    backend,
    build,
    find,
    free_port,
    proxy,
)
from bench.report import METRICS, Run, faults, ratios, summarise, table

ALONE: Final = "alone"
BESIDE: Final = "beside control"
ORDER: Final = (ALONE, BESIDE)

MOST: Final = 1.2
"""Times that the data path's p99 may take beside control."""

LEAST: Final = 5.0
"""Commands a second that are answered, however busy the data path is."""

TIMES: Final = [
    metric
    for metric in METRICS
    if metric.name in ("short_p50", "short_p99", "pp_p50", "pp_p99")
]

WARM_UP: Final = 0.2
"""Seconds of load before the first run that counts."""


def main(argv: Sequence[str] | None = None) -> int:
    """@return: 0; 1: the ratio is worse than asked; 2: the bench cannot run."""
    options = parse(argv)
    try:
        runs, crowds = run(options)
    except BenchError as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    worst = show(runs)
    print(f"p99 beside control: at most {worst:.2f} times that alone; asked: {MOST}")
    kept = told(crowds)
    return 0 if worst <= MOST and kept else 1


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python3 -m bench.control", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=10, help="of which medians count; default: 10")
    add("--seconds", type=float, default=1.2, help="of load in each run; default: 1.2")
    add("--clients", type=int, default=200, help="of control; default: 200")
    add("--pace", type=float, default=200, help="commands a second; default: 200")
    add("--short", type=int, default=32, help="short sessions at a time; default: 32")
    add("--pp", type=int, default=50, help="connections of round trips; default: 50")
    add("--engine", default="", help="lane, twisted or native; default: the best")
    return parser.parse_args(argv)


def run(options: argparse.Namespace) -> tuple[list[Run], list[Crowd]]:
    """
    @return: all runs, and the crowds beside which the half of them were.
    @raise BenchError: something cannot be measured.
    """
    allow_files()
    cores, built = two_cores(), build()
    counts = {"short": options.short, "pp": options.pp}
    modes = [
        replace(mode, count=counts[mode.name]) for mode in MODES if mode.name in counts
    ]
    dialects = by_lines(free_port()), by_rpc(free_port())
    peer = controlled(dialects, options.engine)
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = kept.enter_context(backend(built["backend"], cores.load))
        site = Site(folder, free_port(), f"127.0.0.1:{server.port}")
        program = find(peer, sys.executable)
        started = kept.enter_context(proxy(peer, program, site, cores.proxy))
        target = Target(ALONE, started, server, most_idle=0)
        for mode in modes:
            measure(built["load"], target, mode, WARM_UP, cores)
        runs: list[Run] = []
        crowds: list[Crowd] = []
        for number in range(1, options.rounds + 1):
            for name in random.sample(ORDER, len(ORDER)):
                crowd: AbstractContextManager[object] = nullcontext()
                if name == BESIDE:
                    crowd = Crowd(
                        started.pid,
                        dialects,
                        options.clients,
                        options.pace,
                        cores.load,
                    )
                    crowds.append(crowd)
                one = replace(target, name=name)
                with crowd:
                    runs += [
                        measure(built["load"], one, mode, options.seconds, cores)
                        for mode in modes
                    ]
            print(f"round {number} of {options.rounds} is done", file=sys.stderr)
        return runs, crowds


def controlled(dialects: tuple[Dialect, Dialect], engine: str) -> Peer:
    """@return: portmux as it is measured elsewhere, with control on these ports."""
    line, rpc = (dialect.port for dialect in dialects)
    opened = f'socket: none, line: "127.0.0.1:{line}", rpc: "127.0.0.1:{rpc}"'
    return Peer(
        name="portmux",
        about="portmux with a control plane",
        package="",
        programs=(),
        arguments=lambda site: ["-m", "portmux", "run", "-c", str(site.config)],
        version=("-m", "portmux", "--version"),
        config=lambda site: portmux_config(site, engine) + f"control: {{{opened}}}\n",
    )


def show(runs: Sequence[Run]) -> float:
    """Print the tables. @return: the worst ratio of a p99."""
    summary = summarise(runs, ORDER, "")
    found = ratios(summary.figures, ALONE, TIMES)
    print("Medians; ~ marks disturbed runs, ! runs in which connections failed:\n")
    print(table(summary, summary.figures, TIMES))
    print(f"\nRatios to {ALONE}:\n")
    print(table(summary, found, TIMES, ratio=True))
    for line in faults(runs, ORDER):
        print(line)
    return max(value for name, value in found[BESIDE].items() if name.endswith("p99"))


def told(crowds: Sequence[Crowd]) -> bool:
    """Print what control did. @return: whether that was enough."""
    waits = sorted(wait for crowd in crowds for wait in crowd.waits)
    due = sum(crowd.due for crowd in crowds)
    lasted = sum(crowd.lasted for crowd in crowds)
    if not waits:
        print("control: not one command was answered")
        return False
    p50, p99 = (waits[int(part * (len(waits) - 1))] * 1e3 for part in (0.5, 0.99))
    print(
        f"control: {len(waits)} of {due:.0f} commands answered,"
        f" p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )
    return len(waits) >= LEAST * lasted


if __name__ == "__main__":
    sys.exit(main())
