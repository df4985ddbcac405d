"""A running portmux, clients that it has to serve, and what an attack may cost."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.processes import (
    PATIENCE,
    Foreground,
    ProcessCase,
    backend,
    figures,
    until,
)
from tests.sockets import receive

SYSTEM = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

SERVED_FROM = "127.77.0.1"
"""Where legitimate clients come from: their share of the limits is their own."""

GREETING = b"this is the backend\r\n"
"""Nothing that a scanner knows: it goes on trying."""

BODY = 256 << 10
"""Octets of a page: more than the buffers of a slow reader take."""

MIB = 1 << 20

GROWTH = 24 * MIB
"""Memory that an attack may leave behind: an allocator gives back what it likes."""

AGAIN = 6 * MIB
"""Memory that the same attack may leave behind when it comes again: a leak shows."""

PEAK = 160 * MIB
"""Memory that portmux may have more than before, at any time of an attack."""

LEAST_SERVED = 8
"""Legitimate clients, two rounds, that are served before an attack may be over."""

CONFIG = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {{timeout: {patience}}}
    limits: {limits}
    timeouts: {{idle: 3s, half-close: 2s}}
    routes:
      - {{name: ssh, match: ssh, forward: "127.0.0.1:{port}"}}
      - {{name: tls, match: tls, forward: ["127.0.0.1:{port}"]}}
      - {{name: page, match: {{http: {{}}}}, respond: {{file: {page}}}}}
      - {{name: echo, match: {{prefix: "E "}}, echo: }}
      - {{name: run, match: {{prefix: "X "}}, exec: [cat]}}
      - {{name: expression, match: {{regex: "(a+)+b"}}, discard: }}
"""


class Served:
    """
    Legitimate clients, one after the other.

    @ivar count: those that got what they came for.
    @ivar faults: what the others got.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.count = 0
        self.faults: list[str] = []
        self._over = threading.Event()

    def once(self) -> None:
        """One client of each kind."""
        for data, least in (
            (b"SSH-2.0-client\r\n", GREETING + b"SSH-2.0-client\r\n"),
            (b"E hello", b"E hello"),
            (b"X hello", b"X hello"),
            (b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n"),
        ):
            try:
                got = self._ask(data)
            except OSError as wrong:
                self.faults.append(f"{data!r}: {wrong}")
                continue
            if got.startswith(least):
                self.count += 1
            else:
                self.faults.append(f"{data!r}: {got[:80]!r}")

    def _ask(self, data: bytes) -> bytes:
        place = "127.0.0.1", self._port
        with socket.create_connection(place, PATIENCE, (SERVED_FROM, 0)) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            return receive(client)

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Have such clients come, until the end and until some were served."""
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield
            until(
                lambda: self.faults or self.count >= LEAST_SERVED,
                lambda: f"{self.count} served",
            )
        finally:
            self._over.set()
            thread.join()

    def _go_on(self) -> None:
        while not self._over.wait(0.05):
            self.once()


class Peak:
    """
    The most that a process is seen to have.

    @ivar memory: octets.
    @ivar files: open descriptors.
    """

    def __init__(self, running: Foreground) -> None:
        self._running = running
        self._over = threading.Event()
        self.memory = 0
        self.files = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.memory = max(self.memory, self._running.memory())
            self.files = max(self.files, len(self._running.descriptors()))


class SiegeCase(ProcessCase):
    """
    Portmux is attacked while it serves; afterwards it is what it was.

    C{PORTMUX_FIGURES} has the figures printed.
    """

    LIMITS = "{connections: 2000}"
    PATIENCE = "2s"

    def setUp(self) -> None:
        super().setUp()
        self.allow_many_files()
        serving = backend(GREETING)
        port = serving.__enter__()
        self.addCleanup(serving.__exit__, None, None, None)
        page = self.folder / "page"
        page.write_bytes(b"p" * BODY)
        config = CONFIG.format(
            limits=self.LIMITS, patience=self.PATIENCE, port=port, page=page
        )
        self.running = self.portmux(config)
        self.addCleanup(self.end)
        self.port = self.running.port()
        self.sieges = 0
        first = Served(self.port)
        first.once()
        first.once()
        self.assertEqual((first.count, first.faults), (8, []))
        self.quiet = self.rest()

    def rest(self) -> int:
        """@return: how many descriptors are open when that no longer changes."""
        seen: list[int] = []

        def stable() -> bool:
            seen.append(len(self.running.descriptors()))
            time.sleep(0.1)
            return len(seen) > 10 and len(set(seen[-10:])) == 1

        until(stable, lambda: f"open descriptors: {seen}")
        return seen[-1]

    def calm(self) -> None:
        """Wait until no more is open than before the attack."""
        until(
            lambda: len(self.running.descriptors()) <= self.quiet,
            lambda: f"{self.quiet} were open: {self.running.descriptors()}",
        )

    @contextmanager
    def besieged(self) -> Iterator[None]:
        """Check what an attack within does, and what it leaves behind."""
        before = self.running.memory()
        served, self.peak = Served(self.port), Peak(self.running)
        with self.peak.watched(), served.meanwhile():
            yield
        self.calm()
        last = Served(self.port)
        last.once()
        self.assertEqual((last.count, last.faults), (4, []))
        self.calm()
        self.assertEqual(served.faults, [])
        self.assertGreaterEqual(served.count, LEAST_SERVED)
        self.assertLess(self.peak.memory - before, PEAK)
        kept = self.running.memory() - before
        figures(
            f"{self.id()}: {served.count} served meanwhile, at most"
            f" {self.peak.files - self.quiet} descriptors and"
            f" {(self.peak.memory - before) / MIB:.1f} MiB more, {kept / MIB:.1f} kept"
        )
        self.assertLess(kept, AGAIN if self.sieges else GROWTH)
        self.sieges += 1

    def end(self) -> None:
        """It lives, it logged no fault of its own, and it ends in order."""
        self.running.tell(signal.SIGTERM)
        self.assertEqual(self.running.status(), 0, self.running.text()[-4000:])
        for word in ("Traceback", "Unhandled", "critical", "Error:"):
            self.assertNotIn(word, self.running.text())

    def attack(self, name: str, *words: str) -> str:
        """@return: what an attacking program says, once it has ended."""
        command = shutil.which(name, path=SYSTEM)
        assert command is not None, f"{name} is missing: .ci/adversaries-packages"
        run = subprocess.run(
            [command, *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=300,
            check=False,
        )
        self.assertEqual(run.returncode, 0, run.stdout[-2000:])
        return run.stdout

    def attacks(self) -> int:
        """@return: how many sessions of attackers there were."""
        return len(re.findall(r" client=127\.0\.0\.1:", self.running.text()))

    def client(self, source: str = "127.0.0.1") -> socket.socket:
        """@return: a connection of an attacker."""
        place = "127.0.0.1", self.port
        return socket.create_connection(place, PATIENCE, (source, 0))
