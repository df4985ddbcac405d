"""One run: the load generator against one proxy, and what the proxy paid."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.cost import Reading, Spent, family, resident
from bench.processes import BenchError, LoadFailed, Started, pinned
from bench.report import Run

GIB = 1024**3

#: Seconds after a run in which the proxy finishes closing connections.
SETTLE = 0.1


@dataclass(frozen=True)
class Cores:
    """@ivar load: the core of generator and backend."""

    proxy: int
    load: int


def two_cores() -> Cores:
    """@raise BenchError: there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("two CPU cores are needed, one for the proxies")
    return Cores(proxy=cores[0], load=cores[1])


@dataclass(frozen=True)
class Mode:
    """
    @ivar load: the generator's name for it.
    @ivar count: connections at a time.
    @ivar one_core: everything runs on the proxy's core, so that the time of a
        round trip holds no wake-up of another core.
    """

    name: str
    load: str
    count: int
    one_core: bool = False

    @property
    def bulk(self) -> bool:
        return self.load in ("up", "down")


#: Memory first: the proxies are fresh then.
IDLE = Mode("idle", "idle", 2000)
SHORT = Mode("short", "short", 32)
MODES = (
    IDLE,
    SHORT,
    Mode("up", "up", 8),
    Mode("down", "down", 8),
    Mode("pp", "pp", 50),
    Mode("rtt", "pp", 1, one_core=True),
)


@dataclass(frozen=True)
class Target:
    """
    @ivar proxy: its process; None where the backend is reached directly.
    @ivar most_idle: idle connections it may get.
    """

    name: str
    proxy: Started | None
    backend: Started
    most_idle: int

    def reading(self, cores: Cores) -> Reading:
        pids = family(self.proxy.pid) if self.proxy else []
        return Reading.take(pids, self.backend.pid, (cores.proxy, cores.load))

    def command(
        self, program: Path, mode: str, count: int, seconds: float
    ) -> list[str]:
        port = (self.proxy or self.backend).port
        options = {"mode": mode, "port": port, "count": count, "seconds": seconds}
        return [str(program), *(f"--{key}={value}" for key, value in options.items())]


def measure(
    program: Path, target: Target, mode: Mode, seconds: float, cores: Cores
) -> Run:
    """
    @param program: the load generator.
    @param seconds: of load.
    @raise LoadFailed: the proxy did not do enough to make a figure of.
    """
    core = cores.proxy if mode.one_core else cores.load
    os.sched_setaffinity(target.backend.pid, {core})
    before = target.reading(cores)
    with pinned(core):
        ended = subprocess.run(
            target.command(program, mode.load, mode.count, seconds),
            capture_output=True,
            text=True,
            check=False,
        )
    time.sleep(SETTLE)
    spent = target.reading(cores).since(before)
    os.sched_setaffinity(target.backend.pid, {cores.load})
    load = _result(ended.stdout, ended.stderr)
    figures = values(mode, load, spent)
    return Run(target.name, mode.name, spent.foreign, figures, load)


def measure_idle(program: Path, target: Target, cores: Cores) -> Run:
    """
    Memory of an idle connection: the slope between a tenth of the connections
    and all of them, so that what a proxy allocates once does not count.

    CPU that others use does not change it: C{foreign} is not measured.

    @raise LoadFailed: not all connections could be opened.
    """
    assert target.proxy is not None
    count = min(IDLE.count, target.most_idle)
    few = count // 10
    with ExitStack() as held:
        _hold(held, target.command(program, "idle", few, 1), few, cores)
        before = resident(family(target.proxy.pid))
        more = count - few
        load = _hold(held, target.command(program, "idle", more, 1), more, cores)
        grown = resident(family(target.proxy.pid)) - before
    time.sleep(SETTLE)
    return Run(target.name, IDLE.name, 0.0, {"idle_rss": grown / 1024 / more}, load)


def _hold(
    held: ExitStack, command: list[str], count: int, cores: Cores
) -> dict[str, float]:
    """Open connections that stay open until C{held} is left."""
    with pinned(cores.load):
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    held.enter_context(process)  # leaving it closes standard input, and waits
    assert process.stdout is not None
    load = _result(process.stdout.readline(), "")
    if load["done"] != count:
        raise LoadFailed(f"{load['done']:.0f} of {count} idle connections opened")
    time.sleep(SETTLE)
    return load


def _result(line: str, complaint: str) -> dict[str, float]:
    if not line:
        raise LoadFailed(complaint.strip() or "the load generator gave up")
    fields = json.loads(line)
    return {name: value for name, value in fields.items() if name != "mode"}


def values(mode: Mode, load: dict[str, float], spent: Spent) -> dict[str, float]:
    """
    @return: the figures of a run, by the names of L{bench.report.METRICS}.
    @raise LoadFailed: nothing was moved that a figure could be made of.
    """
    work = load["total"] / GIB if mode.bulk else load["done"]
    if not work:
        raise LoadFailed(f"nothing came through, {load['errors']:.0f} errors")
    if mode.bulk:
        return {
            f"{mode.name}_gbit": load["bytes"] * 8 / 1e9 / load["seconds"],
            f"{mode.name}_cpu": spent.proxy / work,
        }
    if mode.one_core:
        return {f"{mode.name}_p50": load["p50_us"]}
    return {
        f"{mode.name}_rate": work / load["seconds"],
        f"{mode.name}_cpu": spent.proxy / work * 1e6,
        f"{mode.name}_p50": load["p50_us"],
        f"{mode.name}_p99": load["p99_us"],
    }
