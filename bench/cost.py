"""What processes cost, as Linux counts it: CPU, memory, and what others took."""

from __future__ import annotations

import ctypes
import os
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def family(pid: int) -> list[int]:
    """@return: a process and its living descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """
    CPU time of processes with all their threads, ended ones too.

    Read from the scheduler's own clock, in nanoseconds: the ticks of
    C{/proc/PID/stat} are too coarse for a run of a second.

    @raise OSError: one of them has gone.
    """
    total = 0.0
    for pid in pids:
        clock = ctypes.c_int()
        status = _libc.clock_getcpuclockid(pid, ctypes.byref(clock))
        if status:
            raise OSError(status, os.strerror(status))
        total += time.clock_gettime(clock.value)
    return total


def resident(pids: Iterable[int]) -> int:
    """@return: the resident memory of processes, in octets."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in pids
    )


def threads(pid: int) -> int:
    """@return: how many a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pid: int) -> tuple[int, int]:
    """@return: how many a process has open: of pipes, and of anything else."""
    pipes = others = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            is_pipe = os.readlink(f"/proc/{pid}/fd/{name}").startswith("pipe:")
        except FileNotFoundError:
            continue  # closed meanwhile
        pipes += is_pipe
        others += not is_pipe
    return pipes, others


def busy_seconds(text: str, cores: Iterable[int], ticks: int) -> float:
    """
    @param text: what C{/proc/stat} holds.
    @param ticks: of its clock, a second.
    @return: time the cores were not idle; what a hypervisor stole is in it.
    """
    wanted = {f"cpu{core}" for core in cores}
    total = 0
    for line in text.splitlines():
        name, *fields = line.split()
        if name in wanted:
            user, nice, system, _idle, _iowait, *irq_softirq_steal = fields[:8]
            total += sum(map(int, (user, nice, system, *irq_softirq_steal)))
    return total / ticks


@dataclass(frozen=True)
class Spent:
    """
    @ivar proxy: CPU seconds of the proxy.
    @ivar foreign: CPU seconds a second, on the cores used, of everything that
        is neither proxy, backend, load generator nor this program.
    """

    proxy: float
    foreign: float


@dataclass(frozen=True)
class Reading:
    """CPU seconds at one moment. @ivar ours: all that takes part, the proxy too."""

    proxy: float
    ours: float
    busy: float
    moment: float

    @classmethod
    def take(cls, proxy: list[int], backend: int, cores: tuple[int, int]) -> Reading:
        """@param proxy: its processes; none where the backend is reached directly."""
        spent = cpu_seconds(proxy)
        # The load generator is a child that was waited for.
        usages = [resource.getrusage(resource.RUSAGE_SELF)]
        usages.append(resource.getrusage(resource.RUSAGE_CHILDREN))
        own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        text = Path("/proc/stat").read_text()
        return cls(
            proxy=spent,
            ours=spent + own + cpu_seconds([backend]),
            busy=busy_seconds(text, cores, os.sysconf("SC_CLK_TCK")),
            moment=time.monotonic(),
        )

    def since(self, before: Reading) -> Spent:
        wall = self.moment - before.moment
        others = (self.busy - before.busy) - (self.ours - before.ours)
        # Ticks are samples: a run without foreign load may seem to have less.
        return Spent(self.proxy - before.proxy, max(0.0, others / wall))
