"""Start and stop what takes part in a run, each pinned to its core."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Peer, Site

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
PROGRAMS = {"load": ("load.c", "stream.c"), "backend": ("backend.c",)}

#: Seconds a proxy may take until it relays, and to stop when told to.
START_LIMIT = 20.0
STOP_LIMIT = 5.0

#: Ports the proxies listen on. Linux takes the ports of outgoing connections,
#: of which a run makes tens of thousands, from 32768 up.
PORTS = range(20000, 32768)

#: Descriptors a program may have; more than any needs for its connections.
MOST_FILES = 20000

OPENING = b"GET /s HTTP/1.1\r\nHost: bench\r\nX-Fill: %s\r\n\r\n" % (b"-" * 22)


class BenchError(Exception):
    """The bench cannot go on; the text says why and what to do."""


class Missing(BenchError):
    """A program is not installed."""


class LoadFailed(BenchError):
    """A proxy did not do what the load generator wants of it."""


def build() -> dict[str, Path]:
    """
    Compile the programs in C that are older than their sources.

    @return: their paths, by name.
    @raise Missing: there is no C compiler.
    """
    BUILD.mkdir(exist_ok=True)
    newest = max(path.stat().st_mtime for path in HERE.glob("*.[ch]"))
    for name, sources in PROGRAMS.items():
        program = BUILD / name
        if program.exists() and program.stat().st_mtime > newest:
            continue
        command = ["cc", "-std=gnu11", "-O2", "-o", str(program)]
        try:
            subprocess.run(
                [*command, *(str(HERE / source) for source in sources)], check=True
            )
        except FileNotFoundError as why:
            raise Missing("no C compiler (Debian packages gcc, libc6-dev)") from why
        except subprocess.CalledProcessError as why:
            raise BenchError(f"{' '.join(sources)} cannot be compiled") from why
    return {name: BUILD / name for name in PROGRAMS}


def allow_files() -> None:
    """Let us, and all that we start, have many descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MOST_FILES), most))


def find(peer: Peer, python: str) -> str:
    """
    @param python: the interpreter that runs portmux.
    @return: the program that is the peer.
    @raise Missing: naming the Debian package that has it.
    """
    candidates = peer.programs or (python,)
    for candidate in candidates:
        if path := shutil.which(candidate):
            return path
    package = f" (Debian package {peer.package})" if peer.package else ""
    raise Missing(f"{peer.name}: {candidates[0]} is not installed{package}")


def version(peer: Peer, program: str) -> str:
    """@return: the first line of what a peer says of its version."""
    ended = subprocess.run(
        [program, *peer.version],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parent,
    )
    lines = (ended.stdout + ended.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started meanwhile runs on C{core} only."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)


def free_port() -> int:
    """@return: a port of 127.0.0.1 that nobody listens on."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BenchError(f"no free port between {PORTS.start} and {PORTS.stop - 1}")


@contextmanager
def _stopped(process: subprocess.Popen[str]) -> Iterator[None]:
    """Stop C{process} when left, by its own id and nothing else."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
        if process.stdout is not None:
            process.stdout.close()


@dataclass(frozen=True)
class Started:
    """A running process and where it listens."""

    pid: int
    port: int


@contextmanager
def backend(program: Path, core: int, port: int = 0) -> Iterator[Started]:
    """
    Run a backend. It ends with us even if we are killed: its input ends.

    @param port: where it listens; 0: on a free port.
    """
    command = [str(program), str(port)]
    with pinned(core):
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    with _stopped(process):
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchError("the backend did not start")
        yield Started(process.pid, json.loads(line)["port"])


@contextmanager
def proxy(peer: Peer, program: str, site: Site, core: int) -> Iterator[Started]:
    """
    Run a proxy until it relays, and while the body runs.

    @raise LoadFailed: it ended or does not relay; with the end of its log.
    """
    if peer.config is not None:
        site.config.write_text(peer.config(site))
    log = site.folder / "log"
    with log.open("w") as output, pinned(core):
        process = subprocess.Popen(
            [program, *peer.arguments(site)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=HERE.parent,
        )
    with _stopped(process):
        limit = time.monotonic() + START_LIMIT
        while not relays(site.port):
            if process.poll() is not None or time.monotonic() > limit:
                raise LoadFailed(f"{peer.name} does not relay: {_end_of(log)}")
            time.sleep(0.05)
        yield Started(process.pid, site.port)


def relays(port: int) -> bool:
    """@return: whether one exchange with the backend succeeds."""
    answer = b""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=2) as probe,
    ):
        probe.sendall(OPENING)
        while len(answer) < len(OPENING) and (piece := probe.recv(4096)):
            answer += piece
    return len(answer) == len(OPENING)


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it said nothing"
