"""
What portmux holds under a mix of clients for long: C{python3 -m bench.soak}.

Clients come in threads: short ones, bulk, slow readers, half-closes, idle ones,
resets, some that match no route or say nothing. All that is sent comes back and is
compared. Memory, descriptors and threads of portmux are read all the while.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench.cost import descriptors, resident, threads
from bench.measure import two_cores
from bench.mixed import Load, echo
from bench.peers import NOWHERE, Peer, Site
from bench.processes import BenchError, allow_files, find, free_port, proxy

SAMPLES: Final = 100
"""In all; the more often the less."""

OFTEN: Final = 0.05
"""Seconds between two at least."""

PARTS: Final = 5
"""The run has so many parts: the first is the warm-up, the second and the last are
compared."""

MORE: Final = 0.05
MOST: Final = 2 << 20
"""What memory may have grown by: this part of it, or so many octets."""

SPARE: Final = 2 * 2 * 16
"""Ends of pipes that may stay open for the next stream that is worth one: 16 pipes of
each of the lane's relays, the one in Python and the one in C."""

SETTLE: Final = 20.0
"""Seconds after the load in which all is closed; timeouts are shorter."""

SHOWN: Final = 10
"""Faults that are told each; the others are counted."""

CONFIG: Final = """
listeners:
  front:
    bind: "127.0.0.1:%d"
    timeouts: {idle: 5s, half-close: 3s}
    routes:
      - {name: forward, match: {prefix: ["P", "GET "]}, forward: ["%s", "%s"]}
      - {name: echo, match: {prefix: "E"}, echo: }
    fallback: close
control: {socket: none}
log: {access: %s}
"""


@dataclass(frozen=True)
class Sample:
    """@ivar memory: resident, in octets. @ivar others: descriptors but pipes."""

    memory: int
    pipes: int
    others: int
    threads: int

    @classmethod
    def take(cls, pid: int) -> Sample:
        return cls(resident([pid]), *descriptors(pid), threads(pid))

    def __str__(self) -> str:
        return (
            f"{self.memory / 2**20:.1f} MiB, {self.others} descriptors and"
            f" {self.pipes} of pipes, {self.threads} threads"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """@return: 0; 1: it is not as asked for; 2: the bench cannot run."""
    options = parse(argv)
    try:
        faults = run(options)
    except BenchError as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    for fault in faults:
        print(fault)
    print("FAILED" if faults else "flat, and all octets came back as they were sent")
    return 1 if faults else 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python3 -m bench.soak", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=600, help="of load; default: 600")
    add("--clients", type=int, default=24, help="at a time; default: 24")
    add("--engine", default="", help="lane, twisted or native; default: the best")
    add("--seed", type=int, default=random.randrange(10**6), help="of what they do")
    return parser.parse_args(argv)


def run(options: argparse.Namespace) -> list[str]:
    """
    @return: what is not as asked for.
    @raise BenchError: portmux does not run.
    """
    allow_files()
    peer = soaked(options.engine)
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        port = kept.enter_context(echo())
        site = Site(folder, free_port(), f"127.0.0.1:{port}")
        core = two_cores().proxy
        started = kept.enter_context(
            proxy(peer, find(peer, sys.executable), site, core)
        )
        before = Sample.take(started.pid)
        print(f"at first: {before}; seed {options.seed}", flush=True)
        with Load(started.port, options.clients, options.seed) as load:
            samples = watch(started.pid, options.seconds)
        after = settled(started.pid, before)
        print(f"at last:  {after}")
    done = ", ".join(f"{count} {name}" for name, count in sorted(load.done.items()))
    print(f"{done}; {load.octets / 2**30:.2f} GiB compared")
    others = len(load.faults) - SHOWN
    more = [f"{others} more of these"] if others > 0 else []
    return [*load.faults[:SHOWN], *more, *judge(before, samples, after)]


def watch(pid: int, seconds: float) -> list[Sample]:
    """@return: samples at equal distances; one of each part is printed."""
    count = max(PARTS, min(SAMPLES, int(seconds / OFTEN)))
    start, samples = time.monotonic(), []
    for number in range(1, count + 1):
        time.sleep(max(0.0, start + number * seconds / count - time.monotonic()))
        samples.append(Sample.take(pid))
        if number % (count // PARTS) == 0:
            print(f"{number * seconds / count:6.0f} s: {samples[-1]}", flush=True)
    return samples


def settled(pid: int, before: Sample) -> Sample:
    """@return: how it is when all is closed; or is not, although there was time."""
    limit = time.monotonic() + SETTLE
    while True:
        sample = Sample.take(pid)
        if left_open(before, sample) == [] or time.monotonic() > limit:
            return sample
        time.sleep(0.1)


def judge(before: Sample, samples: Sequence[Sample], after: Sample) -> list[str]:
    """@return: a line for what has grown."""
    size = len(samples) // PARTS
    early = median(one.memory for one in samples[size : 2 * size])
    late = median(one.memory for one in samples[-size:])
    found = left_open(before, after)
    if late - early > max(MORE * early, MOST):
        found.append(
            f"memory: {early / 2**20:.1f} MiB in the second fifth of the run,"
            f" {late / 2**20:.1f} MiB in the last"
        )
    return found


def left_open(before: Sample, after: Sample) -> list[str]:
    """@return: a line for each kind of thing of which there are more than before."""
    found = []
    for what, had, has in (
        ("descriptors", before.others, after.others),
        ("pipes", before.pipes + SPARE, after.pipes),
        ("threads", before.threads, after.threads),
    ):
        if has > had:
            found.append(f"{what}: {has} after the load; at most {had} are right")
    return found


def soaked(engine: str) -> Peer:
    """@return: portmux with short timeouts; nobody is at its first backend."""
    chosen = f"engine: {engine}\n" if engine else ""
    return Peer(
        name="portmux",
        about="portmux under a mix of clients",
        package="",
        programs=(),
        arguments=lambda site: ["-m", "portmux", "run", "-c", str(site.config)],
        version=("-m", "portmux", "--version"),
        config=lambda site: (
            CONFIG % (site.port, NOWHERE, site.backend, site.folder / "access.log")
            + chosen
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
