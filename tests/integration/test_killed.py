"""
Backends are killed and come back while clients are served.

C{PORTMUX_KILLING} is for how many seconds; 3 unless set.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

from tests.integration.processes import (
    PATIENCE,
    ProcessCase,
    connect,
    figures,
    has_ended,
    until,
)
from tests.integration.test_reload import free_port
from tests.sockets import receive

SECONDS = float(os.environ.get("PORTMUX_KILLING", "3"))

RATE = 200
"""Clients a second, about."""

ECHO = """
import asyncio, sys

async def serve(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""

CONFIG = """\
pools:
  web:
    backends: ["127.0.0.1:%d", "127.0.0.1:%d", "127.0.0.1:%d"]
    eject: {errors: 1, recheck: 100ms}
listeners:
  front: {bind: "127.0.0.1:0", forward: {pool: web}}
"""


class Clients:
    """
    Clients that ask once, from several threads.

    @ivar outcomes: how often which became of them.
    """

    def __init__(self, port: int, threads: int = 4) -> None:
        self._port = port
        self._pause = threads / RATE
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            outcome = self._ask()
            with self._lock:
                self.outcomes[outcome] += 1

    def _ask(self) -> str:
        try:
            with connect(self._port) as client:
                client.sendall(b"abc")
                client.shutdown(socket.SHUT_WR)
                return "served" if receive(client) == b"abc" else "cut"
        except OSError as error:
            return type(error).__name__


class KilledTests(ProcessCase):
    def backend(self, port: int) -> subprocess.Popen[bytes]:
        """@return: a process that answers there already."""
        words = (sys.executable, "-c", ECHO, str(port))
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        until(lambda: self.answers(port), lambda: f"nobody answers on {port}")
        return process

    def answers(self, port: int) -> bool:
        try:
            connect(port).close()
        except OSError:
            return False
        return True

    def test_under_load(self) -> None:
        """
        Nobody fails while connecting.

        At most those fail whose backend was killed under them, and the record of
        each says so.
        """
        ports = [free_port() for _ in range(3)]
        processes = [self.backend(port) for port in ports]
        running = self.portmux(CONFIG % tuple(ports))
        kills, end = 0, time.monotonic() + SECONDS
        with Clients(running.port()) as clients:
            while time.monotonic() < end:
                at = kills % 3
                self.turn_over(processes, ports, at)
                kills += 1
        total = sum(clients.outcomes.values())
        running.tell(signal.SIGTERM)
        self.assertTrue(has_ended(running.pid, PATIENCE))
        ends = Counter(re.findall(r" end=(\S+)", running.text()))
        failed = total - clients.outcomes["served"]
        figures(f"{total} clients, {kills} kills: {dict(clients.outcomes)} {ends}")
        self.assertEqual(total, sum(ends.values()))
        self.assertEqual((ends["connect-failed"], ends["no-backend"]), (0, 0))
        self.assertLessEqual(failed, ends["backend-lost"])
        self.assertLessEqual(set(ends), {"done", "backend-lost"})
        self.assertGreater(clients.outcomes["served"], RATE * SECONDS / 10)
        self.assertGreaterEqual(running.text().count("is ejected: "), kills // 2)

    def turn_over(
        self, processes: list[subprocess.Popen[bytes]], ports: list[int], at: int
    ) -> None:
        """Kill a backend, leave it dead for a while, have it back."""
        processes[at].kill()
        processes[at].wait(PATIENCE)
        threading.Event().wait(0.2)
        processes[at] = self.backend(ports[at])
        threading.Event().wait(0.2)
