"""The command: C{python3 -m bench.run}; docs/performance.md explains it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import re
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from bench.measure import MODES, two_cores
from bench.peers import BASE, DEFAULT, DIRECT, NAMES, PEERS, TUNED
from bench.processes import BenchError, allow_files, build, find, version
from bench.report import METRICS, Summary, faults, ratios, summarise, table
from bench.rounds import Rounds

#: What is compared with HAProxy's other configurations too.
BULK = ("up_cpu", "down_cpu")


def main(argv: Sequence[str] | None = None) -> int:
    """@return: 0; 1 when a peer failed; 2 when the bench cannot run."""
    signal.signal(signal.SIGTERM, _leave)
    options = parse(argv)
    try:
        rounds = prepare(options)
        for number in range(1, options.rounds + 1):
            rounds.go()
            print(f"round {number} of {options.rounds} is done", file=sys.stderr)
    except BenchError as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    versions = {
        peer.name: version(peer, rounds.programs[peer.name]) for peer in rounds.peers
    }
    summary = summarise(rounds.runs, NAMES, DIRECT)
    show(rounds, summary, versions)
    if options.json is not None:
        text = json.dumps(record(rounds, summary, versions), indent=1)
        options.json.write_text(text + "\n")
    if options.plot is not None:
        draw(options.plot, summary, versions)
    return 1 if rounds.failures else 0


def _leave(number: int, frame: FrameType | None) -> None:
    """End as by an exception, so that everything started is stopped."""
    raise SystemExit(128 + number)


def names(allowed: Sequence[str], text: str) -> list[str]:
    """
    @return: the names in a list separated by commas.
    @raise ArgumentTypeError: one of them is not allowed.
    """
    listed = text.split(",")
    for name in listed:
        if name not in allowed:
            raise argparse.ArgumentTypeError(
                f"{name!r} is not one of {', '.join(allowed)}"
            )
    return listed


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    modes = [mode.name for mode in MODES]
    parser = argparse.ArgumentParser(
        prog="bench", description="Compare portmux with other proxies on this machine."
    )
    add = parser.add_argument
    add("--rounds", type=int, default=5, metavar="N", help="1 to 100; default: 5")
    add(
        "--seconds",
        type=float,
        default=1.2,
        metavar="S",
        help="of load in each run, 0.1 to 10; default: 1.2",
    )
    add(
        "--only",
        type=lambda text: names(NAMES, text),
        default=list(NAMES),
        metavar="NAMES",
        help=f"of {', '.join(NAMES)}; default: all",
    )
    add(
        "--modes",
        type=lambda text: names(modes, text),
        default=modes,
        metavar="NAMES",
        help=f"of {', '.join(modes)}; default: all",
    )
    add("--json", type=Path, metavar="FILE", help="write every run to FILE")
    add(
        "--plot",
        type=Path,
        metavar="FILE.svg",
        help=f"draw the ratios to {BASE}, as SVG; needs matplotlib",
    )
    add(
        "--portmux-python",
        default=sys.executable,
        metavar="PROGRAM",
        help="the interpreter that runs portmux; default: this one",
    )
    options = parser.parse_args(argv)
    if not 1 <= options.rounds <= 100:
        parser.error("--rounds: from 1 to 100")
    if not 0.1 <= options.seconds <= 10:
        parser.error("--seconds: from 0.1 to 10")
    for name in ("json", "plot"):
        path = getattr(options, name)
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"--{name}: there is no folder for {path}")
    if options.plot is not None and find_spec("matplotlib") is None:
        parser.error(
            "--plot: matplotlib is not installed"
            " (pip: portmux[bench]; Debian package python3-matplotlib)"
        )
    return options


def prepare(options: argparse.Namespace) -> Rounds:
    """
    @raise BenchError: a peer is missing, or the machine will not do.
    """
    allow_files()
    peers = [peer for peer in PEERS if peer.name in options.only]
    return Rounds(
        peers=peers,
        programs={peer.name: find(peer, options.portmux_python) for peer in peers},
        built=build(),
        modes=[mode for mode in MODES if mode.name in options.modes],
        direct=DIRECT in options.only,
        seconds=options.seconds,
        cores=two_cores(),
    )


def show(rounds: Rounds, summary: Summary, versions: dict[str, str]) -> None:
    """Print the tables, and what went wrong."""
    for peer in rounds.peers:
        print(f"{peer.name}: {peer.about}; {versions[peer.name]}")
    print("\nMedians; ~ marks disturbed runs, ! runs in which connections failed:\n")
    print(table(summary, summary.figures, METRICS))
    bulk = [metric for metric in METRICS if metric.name in BULK]
    for base, metrics in ((BASE, METRICS), (DEFAULT, bulk), (TUNED, bulk)):
        if figures := ratios(summary.figures, base, metrics):
            print(f"\nRatios to {base} (CPU us/connection and us/message inverted):\n")
            print(table(summary, figures, metrics, ratio=True))
    for line in (*faults(rounds.runs, NAMES), *rounds.failures):
        print(line)


def draw(path: Path, summary: Summary, versions: dict[str, str]) -> None:
    """Write the plot; say so where there is nothing to compare."""
    if not set(summary.figures) > {BASE}:
        print(f"bench: no plot, nothing to compare with {BASE}", file=sys.stderr)
        return
    # matplotlib is only for who wants a plot.
    from bench.plot import plot  # noqa: PLC0415

    machine = processor(Path("/proc/cpuinfo").read_text())
    programs = dict.fromkeys(
        versions[peer] for peer in summary.figures if peer != DIRECT
    )
    plot(path, summary, BASE, [machine, "; ".join(programs)])


def record(
    rounds: Rounds, summary: Summary, versions: dict[str, str]
) -> dict[str, object]:
    """@return: everything, for a file."""
    return {
        "machine": {
            "kernel": platform.release(),
            "processor": processor(Path("/proc/cpuinfo").read_text()),
            "cores": dataclasses.asdict(rounds.cores),
        },
        "versions": versions,
        "seconds": rounds.seconds,
        "runs": [dataclasses.asdict(run) for run in rounds.runs],
        "medians": summary.figures,
        "marks": {" ".join(cell): mark for cell, mark in summary.marks.items() if mark},
        "ratios": {
            base: ratios(summary.figures, base, METRICS)
            for base in (BASE, DEFAULT, TUNED)
        },
        "failures": rounds.failures,
    }


def processor(text: str) -> str:
    """@param text: what C{/proc/cpuinfo} holds."""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
