"""
Backends killed and revived under load: C{python3 -m bench.revive}.

Sessions come at a pace to a pool of three backends, of which one after another is
killed and comes back. What is asked for: no session fails while it is connected,
and only such fail as were connected to a backend when it was killed: the record of
each names that backend, covers that moment and ends with C{backend-lost}.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bench.killing import Kill, Killing
from bench.measure import two_cores
from bench.peers import Peer, Site
from bench.processes import (
    BenchError,
    allow_files,
    build,
    find,
    free_port,
    proxy,
)
from bench.sessions import REFUSED, SERVED, Sessions

BACKENDS: Final = 3

LOST: Final = "backend-lost"
"""The end in the record of a session whose backend was killed."""

UNCONNECTED: Final = ("connect-failed", "no-backend", "queue-full", "queue-timeout")
"""Ends of sessions that got no backend."""

SLACK: Final = 0.002
"""Seconds by which times in a record may be off: it has milliseconds."""

KEPT: Final = 0.95
"""Part of the pace that has to be kept."""

CONFIG: Final = """
pools:
  web:
    strategy: round-robin
    backends: [%s]
    eject: {errors: 1, recheck: 100ms}
listeners:
  front: {bind: "127.0.0.1:%d", forward: {pool: web}}
control: {socket: none}
log: {access: %s, format: json}
"""


@dataclass(frozen=True)
class Verdict:
    """
    @ivar pace: sessions a second that were begun.
    @ivar unconnected: sessions that failed before they had a backend.
    @ivar failed: sessions that failed later.
    @ivar struck: sessions that were connected to a backend when it was killed.
    @ivar lost: those of them that failed, and whose record says C{backend-lost}.
    @ivar unexplained: sessions that failed and were not struck.
    @ivar unrecorded: sessions without a record.
    """

    pace: float
    sessions: int
    kills: int
    unconnected: int
    failed: int
    struck: int
    lost: int
    unexplained: int
    unrecorded: int

    def faults(self, pace: float) -> list[str]:
        """@return: a line for each thing that is not as it is asked for."""
        found = []
        if self.pace < KEPT * pace:
            found.append(f"the pace was not kept: {self.pace:.0f} of {pace:.0f}/s")
        if not self.kills:
            found.append("no backend was killed")
        if self.unconnected:
            found.append(f"{self.unconnected} failed while connecting")
        if self.unexplained:
            found.append(f"{self.unexplained} failed, their backends being alive")
        if self.failed > self.lost + self.unexplained:
            orderly = self.failed - self.lost - self.unexplained
            found.append(f"{orderly} failed, and their records do not say {LOST}")
        if self.unrecorded:
            found.append(f"{self.unrecorded} have no record")
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """@return: 0; 1: it is not as asked for; 2: the bench cannot run."""
    options = parse(argv)
    try:
        verdict = run(options)
    except BenchError as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    print(
        f"{verdict.sessions} sessions at {verdict.pace:.0f}/s, {verdict.kills} kills:"
        f" {verdict.unconnected} failed while connecting; {verdict.failed} failed of"
        f" {verdict.struck} connected to a backend when it was killed,"
        f" {verdict.lost} with {LOST} in their record"
    )
    faults = verdict.faults(options.pace)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python3 -m bench.revive", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=30, help="of load; default: 30")
    add("--pace", type=float, default=200, help="sessions a second; default: 200")
    add("--hold", type=float, default=0.1, help="seconds in each; default: 0.1")
    add("--dead", type=float, default=0.5, help="seconds without it; default: 0.5")
    add("--alive", type=float, default=0.5, help="seconds until the next; default: 0.5")
    add("--engine", default="", help="lane, twisted or native; default: the best")
    return parser.parse_args(argv)


def run(options: argparse.Namespace) -> Verdict:
    """@raise BenchError: it cannot be measured."""
    allow_files()
    cores, program = two_cores(), build()["backend"]
    ports = [free_port() for _ in range(BACKENDS)]
    peer = pooled(ports, options.engine)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        site = Site(Path(folder), free_port(), "")
        with (
            Killing(program, cores.load, ports) as killing,
            proxy(peer, find(peer, sys.executable), site, cores.proxy),
        ):
            sessions = Sessions(site.port, options.pace, options.hold)
            with killing.at_work(options.dead, options.alive):
                pace = sessions.run(options.seconds)
        lines = access(site).read_text().splitlines()
    return judge(pace, sessions.ended, killing.kills, list(map(json.loads, lines)))


def pooled(ports: Sequence[int], engine: str) -> Peer:
    """@return: a portmux with a pool of backends."""
    backends = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    chosen = f"engine: {engine}\n" if engine else ""
    return Peer(
        name="portmux",
        about="portmux with a pool",
        package="",
        programs=(),
        arguments=lambda site: ["-m", "portmux", "run", "-c", str(site.config)],
        version=("-m", "portmux", "--version"),
        config=lambda site: CONFIG % (backends, site.port, access(site)) + chosen,
    )


def access(site: Site) -> Path:
    """@return: where the records are."""
    return site.folder / "access.log"


def judge(
    pace: float,
    ended: Sequence[tuple[int, str]],
    kills: Sequence[Kill],
    records: Sequence[dict[str, Any]],
) -> Verdict:
    """
    @param ended: what became of each session, by the client's port.
    @param records: what portmux has written; that of the first connection, by which
        it was seen to relay, is nobody's.
    """
    # A port may come back after a minute; both lists are in order.
    by_port: dict[int, deque[dict[str, Any]]] = defaultdict(deque)
    for record in sorted(records, key=lambda record: str(record["time"])):
        by_port[int(record["client"].rpartition(":")[2])].append(record)
    counts: Counter[str] = Counter()
    for port, how in ended:
        if how == REFUSED:
            counts["unconnected"] += 1
            continue
        if not by_port[port]:
            counts["unrecorded"] += 1
            continue
        record = by_port[port].popleft()
        if record["end"] in UNCONNECTED:
            counts["unconnected"] += 1
            continue
        struck, failed = was_struck(record, kills), how != SERVED
        counts["struck"] += struck
        counts["failed"] += failed
        counts["lost"] += struck and failed and record["end"] == LOST
        counts["unexplained"] += failed and not struck
    names = ("unconnected", "failed", "struck", "lost", "unexplained", "unrecorded")
    found = {name: counts[name] for name in names}
    return Verdict(pace=pace, sessions=len(ended), kills=len(kills), **found)


def was_struck(record: dict[str, Any], kills: Sequence[Kill]) -> bool:
    """@return: whether a session's backend was killed while the session lived."""
    begin = datetime.fromisoformat(record["time"]).timestamp()
    end = begin + record["seconds"]
    return any(
        kill.backend == record["backend"]
        and begin - SLACK <= kill.after
        and kill.before <= end + SLACK
        for kill in kills
    )


if __name__ == "__main__":
    sys.exit(main())
