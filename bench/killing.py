"""Backends that are killed and revived in turn."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Event, Thread

from bench.processes import BenchError, backend


@dataclass(frozen=True)
class Kill:
    """@ivar before, after: between these, in seconds since 1970, it was killed."""

    backend: str
    before: float
    after: float


class Killing:
    """
    Backends, each a process, one of which at a time may be dead.

    @ivar kills: in their order.
    """

    def __init__(self, program: Path, core: int, ports: Sequence[int]) -> None:
        self._program = program
        self._core = core
        self._ports = ports
        self._pids: dict[int, int] = {}
        self._lives = {port: ExitStack() for port in ports}
        self._over = Event()
        self._failure: BenchError | None = None
        self.kills: list[Kill] = []

    def __enter__(self) -> Killing:
        for port in self._ports:
            self._revive(port)
        return self

    def __exit__(self, *details: object) -> None:
        for life in self._lives.values():
            life.close()

    @contextmanager
    def at_work(self, dead: float, alive: float) -> Iterator[None]:
        """
        Kill and revive while the body runs.

        @param dead: seconds that a backend is away.
        @param alive: seconds that all are there, then.
        @raise BenchError: a backend did not come back.
        """
        thread = Thread(target=self._work, args=(dead, alive))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self, dead: float, alive: float) -> None:
        for port in cycle(self._ports):
            if self._over.wait(alive):
                return
            before = time.time()
            os.kill(self._pids[port], signal.SIGKILL)
            self._lives[port].close()
            self.kills.append(Kill(f"127.0.0.1:{port}", before, time.time()))
            self._over.wait(dead)
            try:
                self._revive(port)
            except BenchError as why:
                self._failure = why
                return

    def _revive(self, port: int) -> None:
        running = backend(self._program, self._core, port)
        self._pids[port] = self._lives[port].enter_context(running).pid
