"""
What a request through C{mux} costs: C{python3 -m bench.mux}.

The same Modbus requests and answers, at the same pace, go through one portmux:
forwarded on connections of their own, and shared on one. The figure is CPU time
of portmux for a request. Without a common pace, what is forwarded would be busier
by far, and the busier an event loop is the less it spends on each event.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final, cast

from bench.cost import cpu_seconds
from bench.processes import HERE, BenchError, free_port

REQUEST: Final = bytes.fromhex("0001 0000 0006 01 03 0000 000a")
ANSWER: Final = REQUEST[:4] + bytes.fromhex("0017 01 03 14") + bytes(20)

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
    """@ivar idle: clients that are connected and say nothing."""

    clients: int
    idle: int


@dataclass(frozen=True)
class Portmux:
    """A running one. @ivar ports: by the listener's name."""

    pid: int
    ports: dict[str, int]


def main(argv: Sequence[str] | None = None) -> int:
    """@return: 0; 2 when the bench cannot run."""
    options = parse(argv)
    cases = [Case(some, idle) for some in options.clients for idle in options.idle]
    try:
        figures = run(cases, options.requests, options.rate, options.rounds)
    except BenchError as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    print(table(figures))
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python3 -m bench.mux", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="in each run")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians count")
    for name, default in (("clients", [1, 10, 100]), ("idle", [0, 1000])):
        parser.add_argument(
            f"--{name}", type=int, nargs="+", default=default, metavar="N"
        )
    return parser.parse_args(argv)


def run(
    cases: Sequence[Case], requests: int, rate: int, rounds: int
) -> dict[Case, dict[str, float]]:
    """@return: by case and listener, the median of CPU seconds for a request."""
    found: dict[Case, dict[str, list[float]]] = {}
    with portmux() as running:
        for name in running.ports:
            measure(running, name, Case(1, 0), WARM, rate)
        for _ in range(rounds):
            for case in cases:
                for name in running.ports:
                    spent = measure(running, name, case, requests, rate)
                    found.setdefault(case, {}).setdefault(name, []).append(spent)
    return {
        case: {name: median(spent) for name, spent in each.items()}
        for case, each in found.items()
    }


def measure(running: Portmux, name: str, case: Case, requests: int, rate: int) -> float:
    """@return: CPU seconds for a request."""
    with ExitStack() as kept:
        address = "127.0.0.1", running.ports[name]
        for _ in range(case.idle):
            kept.enter_context(socket.create_connection(address))
        clients = [
            kept.enter_context(socket.create_connection(address))
            for _ in range(case.clients)
        ]
        ask(clients, case.clients, rate)  # all are accepted, and have had an answer
        before = cpu_seconds([running.pid])
        ask(clients, requests, rate)
        return (cpu_seconds([running.pid]) - before) / requests


def ask(clients: Sequence[socket.socket], requests: int, rate: int) -> None:
    """Have clients ask by turns, one request at a time each, at this pace."""
    free, pending = deque(clients), dict.fromkeys(clients, 0)
    sent, answered, start = 0, 0, time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        while answered < requests:
            now = time.perf_counter()
            while free and sent < requests and start + sent / rate <= now:
                client = free.popleft()
                pending[client] = len(ANSWER)
                client.sendall(REQUEST)
                sent += 1
            due = start + sent / rate - now if free and sent < requests else 10.0
            for key, _ in selector.select(max(0.0, due)):
                client = cast(socket.socket, key.fileobj)
                data = client.recv(65536)
                if not data:
                    raise BenchError("a client was hung up on")
                pending[client] -= len(data)
                if not pending[client]:
                    answered += 1
                    free.append(client)


@contextmanager
def portmux() -> Iterator[Portmux]:
    """Run one, with a target in a thread of this process."""
    with (
        TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0), backlog=4096) as listening,
    ):
        Thread(target=serve, args=(listening,), daemon=True).start()
        target = listening.getsockname()[1]
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


def serve(listening: socket.socket) -> None:
    """Answer every request on every connection at once."""
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            sock = cast(socket.socket, key.fileobj)
            if sock is listening:
                try:
                    selector.register(listening.accept()[0], selectors.EVENT_READ)
                except OSError:
                    return  # the end
                continue
            data = sock.recv(65536)
            if data:
                count = len(data) // len(REQUEST)
                number = data[:2]
                sock.sendall((number + ANSWER[2:]) * count)
            else:
                selector.unregister(sock)
                sock.close()


def table(figures: dict[Case, dict[str, float]]) -> str:
    """@return: a line for each case."""
    lines = ["clients   idle   relay µs     mux µs   ratio"]
    for case, each in figures.items():
        relay, mux = each["relay"] * 1e6, each["mux"] * 1e6
        lines.append(
            f"{case.clients:7d} {case.idle:6d} {relay:10.1f} {mux:10.1f}"
            f" {mux / relay:7.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
