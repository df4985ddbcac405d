"""Rounds: every proxy started afresh, every mode measured against each of them."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import IDLE, SHORT, Cores, Mode, Target, measure, measure_idle
from bench.peers import DIRECT, Peer, Site
from bench.processes import LoadFailed, backend, free_port, proxy
from bench.report import Run

#: Seconds of load before the first measured run of a round.
WARM_UP = 0.2


@dataclass
class Rounds:
    """
    @ivar programs: what to run, by the name of the peer.
    @ivar built: the load generator and the backend.
    @ivar direct: whether the backend is measured without a proxy too.
    @ivar seconds: of load in each run.
    @ivar runs: the results so far.
    @ivar failures: a line for each run, or start, that gave no result.
    """

    peers: Sequence[Peer]
    programs: dict[str, str]
    built: dict[str, Path]
    modes: Sequence[Mode]
    direct: bool
    seconds: float
    cores: Cores
    runs: list[Run] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def go(self) -> None:
        """
        Do one round.

        The peers of a mode follow each other in random order, so that what
        disturbs the machine for some seconds disturbs no peer more than others.
        """
        with ExitStack() as stack:
            targets = self._start(stack)
            loaded = [mode for mode in self.modes if mode is not IDLE]
            # Memory comes first: the proxies are fresh then.
            if len(loaded) < len(self.modes):
                self._visit(targets, IDLE)
            if loaded:
                self._warm_up(targets)
            for mode in random.sample(loaded, len(loaded)):
                self._visit(targets, mode)

    def _start(self, stack: ExitStack) -> list[Target]:
        """Each proxy gets its own backend, so that the closed connections of one
        leave the others all the ports there are."""
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        targets = []
        if self.direct:
            server = stack.enter_context(
                backend(self.built["backend"], self.cores.load)
            )
            targets.append(Target(DIRECT, None, server, most_idle=0))
        for peer in self.peers:
            folder = root / peer.name
            folder.mkdir()
            server = stack.enter_context(
                backend(self.built["backend"], self.cores.load)
            )
            site = Site(folder, free_port(), f"127.0.0.1:{server.port}")
            running = proxy(peer, self.programs[peer.name], site, self.cores.proxy)
            try:
                started = stack.enter_context(running)
            except LoadFailed as why:
                self.failures.append(str(why))
                continue
            targets.append(Target(peer.name, started, server, peer.most_idle))
        return targets

    def _warm_up(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._measure(target, SHORT, WARM_UP)

    def _visit(self, targets: Sequence[Target], mode: Mode) -> None:
        for target in random.sample(targets, len(targets)):
            if mode is IDLE and target.proxy is None:
                continue
            run = self._measure(target, mode, self.seconds)
            if run is not None:
                self.runs.append(run)

    def _measure(self, target: Target, mode: Mode, seconds: float) -> Run | None:
        program = self.built["load"]
        try:
            if mode is IDLE:
                return measure_idle(program, target, self.cores)
            return measure(program, target, mode, seconds, self.cores)
        except (LoadFailed, OSError) as why:
            self.failures.append(f"{target.name}, {mode.name}: {why}")
            return None
