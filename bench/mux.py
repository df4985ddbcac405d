"""
What a request through C{mux} costs: C{python3 -m bench.mux}.

The same Modbus requests and answers go through one portmux: forwarded on
connections of their own, and shared on one. The figure is CPU time of portmux for
a request, at a common pace, and as fast as each client gets its answers.

Without a pace, what is forwarded has many clients served each time the event loop
turns, and the more it has to do at once, the less it spends on each; what is shared
has one request under way at a time, and so at least one turn for each.

All run on one core and take turns there, so that no wake-up of another core is in
the figures, and clients and target are one thread, so that they wait for no lock.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench.asking import Load
from bench.cost import cpu_seconds
from bench.processes import HERE, BenchError, allow_files, free_port, pinned

WARM: Final = 500
"""Requests before the first one that counts."""

START: Final = 20.0
"""Seconds for portmux to listen."""

CONFIG: Final = """
engine: twisted
log: {level: warn}
control: {socket: none}
listeners:
  relay: {bind: "127.0.0.1:RELAY", forward: "127.0.0.1:TARGET"}
  mux:
    bind: "127.0.0.1:MUX"
    mux: {protocol: modbus, to: "127.0.0.1:TARGET", queue: {size: 1000}}
"""


@dataclass(frozen=True)
class Case:
    """
    @ivar clients: that ask, one request at a time each.
    @ivar idle: clients that are connected and say nothing.
    @ivar rate: requests a second of all clients; 0: as fast as they are answered.
    """

    clients: int
    idle: int
    rate: int


@dataclass(frozen=True)
class Portmux:
    """A running one. @ivar ports: by the listener's name."""

    pid: int
    ports: dict[str, int]


def main(argv: Sequence[str] | None = None) -> int:
    """@return: 0; 2 when the bench cannot run."""
    options = parse(argv)
    cases = [
        Case(clients, idle, rate)
        for rate in options.rate
        for clients in options.clients
        for idle in options.idle
    ]
    allow_files()
    try:
        with pinned(min(os.sched_getaffinity(0))):
            figures = run(cases, options.requests, options.rounds)
    except BenchError as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    print(table(figures))
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python3 -m bench.mux", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="in each run")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians count")
    for name, default, about in (
        ("rate", [1000, 0], "requests a second; 0: as fast as they are answered"),
        ("clients", [1, 10, 100], "clients that ask"),
        ("idle", [0, 1000], "clients beside them that say nothing"),
    ):
        parser.add_argument(
            f"--{name}", type=int, nargs="+", default=default, metavar="N", help=about
        )
    return parser.parse_args(argv)


def run(
    cases: Sequence[Case], requests: int, rounds: int
) -> dict[Case, dict[str, float]]:
    """@return: by case and listener, the median of CPU seconds for a request."""
    found: dict[Case, dict[str, list[float]]] = {}
    with Load() as load, portmux(load.port) as running:
        for name in running.ports:
            measure(running, load, name, Case(1, 0, 0), WARM)
        for _ in range(rounds):
            for case in cases:
                for name in running.ports:
                    spent = measure(running, load, name, case, requests)
                    found.setdefault(case, {}).setdefault(name, []).append(spent)
    return {
        case: {name: median(spent) for name, spent in each.items()}
        for case, each in found.items()
    }


def measure(
    running: Portmux, load: Load, name: str, case: Case, requests: int
) -> float:
    """@return: CPU seconds for a request."""
    with ExitStack() as kept:
        port = running.ports[name]
        clients = [
            kept.enter_context(load.client(port))
            for _ in range(case.idle + case.clients)
        ]
        load.ask(clients, len(clients), 0)  # all are accepted, and have an answer
        asking = clients[case.idle :]
        before = cpu_seconds([running.pid])
        load.ask(asking, requests, case.rate)
        return (cpu_seconds([running.pid]) - before) / requests


@contextmanager
def portmux(target: int) -> Iterator[Portmux]:
    """Run one. @param target: the port of what its listeners lead to."""
    with TemporaryDirectory() as folder:
        ports = {"relay": free_port(), "mux": free_port()}
        text = CONFIG.replace("TARGET", str(target))
        for name, port in ports.items():
            text = text.replace(name.upper(), str(port))
        path = Path(folder) / "portmux.conf"
        path.write_text(text)
        command = [sys.executable, "-m", "portmux", "run", "-c", str(path)]
        log = Path(folder) / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=HERE.parent
            )
        try:
            wait(process, ports.values(), log)
            yield Portmux(process.pid, ports)
        finally:
            process.terminate()
            process.wait()


def wait(process: subprocess.Popen[bytes], ports: Iterable[int], log: Path) -> None:
    """@raise BenchError: it does not listen."""
    end = time.monotonic() + START
    for port in ports:
        while not listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise BenchError(f"portmux does not listen: {log.read_text()}")
            time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def table(figures: dict[Case, dict[str, float]]) -> str:
    """@return: a line for each case."""
    lines = ["requests/s clients   idle   relay µs     mux µs   ratio"]
    for case, each in figures.items():
        relay, mux = each["relay"] * 1e6, each["mux"] * 1e6
        lines.append(
            f"{case.rate or 'max':>10} {case.clients:7d} {case.idle:6d}"
            f" {relay:10.1f} {mux:10.1f} {mux / relay:7.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
