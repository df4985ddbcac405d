"""
System calls of a short connection: C{python3 -m bench.calls}.

strace counts the calls of each proxy, threads and all, while short connections go
through it; what it did before does not count. Tracing makes each call slow, which
changes how much comes at a time: the figures are for comparing.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.measure import SHORT, Cores, Target, measure, two_cores
from bench.peers import BASE, DEFAULT, NAMES, PEERS, Peer, Site
from bench.processes import (
    BenchError,
    Missing,
    allow_files,
    backend,
    build,
    find,
    free_port,
    proxy,
)
from bench.run import names

ATTACH_LIMIT: Final = 10.0
"""Seconds for strace to attach."""

WARM_UP: Final = 0.2
"""Seconds of load before what is counted."""

LEAST: Final = 1000
"""Connections that make a figure: those that are open when the counting begins, or
ends, are counted in part."""

TRIES: Final = 5
"""Runs of load until there are so many."""

ONLY: Final = (BASE, DEFAULT, "portmux", "portmux-lane", "portmux-twisted")

_LINE: Final = re.compile(
    r"^ *[\d.]+ +[\d.]+ +\d+ +(?P<calls>\d+) +(?:\d+ +)?(?P<name>\w+)$", re.MULTILINE
)


@dataclass(frozen=True)
class Counted:
    """@ivar calls: how many, by name. @ivar connections: that went through."""

    calls: dict[str, int]
    connections: float

    def each(self, name: str) -> float:
        """@return: calls of that name for a connection."""
        return self.calls.get(name, 0) / self.connections

    @property
    def total(self) -> float:
        """All calls for a connection."""
        return sum(self.calls.values()) / self.connections


def main(argv: Sequence[str] | None = None) -> int:
    """@return: 0; 2 when the bench cannot run."""
    options = parse(argv)
    peers = [peer for peer in PEERS if peer.name in options.only]
    try:
        found = run(peers, options.seconds, options.at_a_time)
    except BenchError as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    print(table(found))
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python3 -m bench.calls", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=3, help="of load for each; default: 3")
    add("--at-a-time", type=int, default=SHORT.count, help=f"default: {SHORT.count}")
    add(
        "--only",
        type=lambda text: names(NAMES[1:], text),
        default=list(ONLY),
        metavar="NAMES",
        help=f"of {', '.join(NAMES[1:])}; default: {', '.join(ONLY)}",
    )
    return parser.parse_args(argv)


def run(peers: Sequence[Peer], seconds: float, at_a_time: int) -> dict[str, Counted]:
    """
    @return: by the peer's name.
    @raise BenchError: one of them cannot be measured.
    """
    allow_files()
    strace = shutil.which("strace")
    if strace is None:
        raise Missing("strace is not installed (Debian package strace)")
    cores, built = two_cores(), build()
    programs = {peer.name: find(peer, sys.executable) for peer in peers}
    return {
        peer.name: count(
            peer, programs[peer.name], built, strace, seconds, at_a_time, cores
        )
        for peer in peers
    }


def count(
    peer: Peer,
    program: str,
    built: dict[str, Path],
    strace: str,
    seconds: float,
    at_a_time: int,
    cores: Cores,
) -> Counted:
    """@raise BenchError: it cannot be traced, or does not relay."""
    mode = type(SHORT)(SHORT.name, SHORT.load, at_a_time)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        backend(built["backend"], cores.load) as server,
    ):
        site = Site(Path(folder), free_port(), f"127.0.0.1:{server.port}")
        with proxy(peer, program, site, cores.proxy) as started:
            target = Target(peer.name, started, server, most_idle=0)
            measure(built["load"], target, mode, WARM_UP, cores)
            summary = site.folder / "summary"
            with tracing(strace, started.pid, summary):
                done = 0.0
                for _ in range(TRIES):
                    run = measure(built["load"], target, mode, seconds, cores)
                    done += run.load["done"]
                    if done >= LEAST:
                        break
        return Counted(counts(summary.read_text()), done)


@contextmanager
def tracing(strace: str, pid: int, summary: Path) -> Iterator[None]:
    """
    Count the calls of a process and its threads while the body runs.

    @param summary: strace's, there when the body is over.
    @raise BenchError: it does not attach.
    """
    words = [strace, "-c", "-f", "-p", str(pid), "-o", str(summary)]
    log = summary.with_name("strace.log")
    with log.open("w") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
    try:
        limit = time.monotonic() + ATTACH_LIMIT
        while "attached" not in log.read_text():
            if process.poll() is not None or time.monotonic() > limit:
                raise BenchError(f"strace does not attach: {log.read_text().strip()}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def counts(summary: str) -> dict[str, int]:
    """@return: calls by name, of what C{strace -c} prints; without its sum."""
    found = {line["name"]: int(line["calls"]) for line in _LINE.finditer(summary)}
    found.pop("total", None)
    return found


def table(found: dict[str, Counted]) -> str:
    """@return: calls of a connection, the most frequent first, peers across."""
    used = {name for one in found.values() for name in one.calls}
    most = {name: max(one.each(name) for one in found.values()) for name in used}
    shown = sorted((name for name in used if most[name] >= 0.05), key=most.__getitem__)
    rows = [["", *found], ["all", *(f"{one.total:.1f}" for one in found.values())]]
    for name in reversed(shown):
        rows.append([name, *(f"{one.each(name):.1f}" for one in found.values())])
    rows.append(["connections", *(f"{one.connections:.0f}" for one in found.values())])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]
        ).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
