"""A mix of clients: each kind is a function that checks what it gets back."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Final

PATIENCE: Final = 60.0
"""Seconds that a client waits for an octet."""

BULK: Final = 4 << 20
"""Octets of a bulk transfer at most, there and back."""

SLOW: Final = 600_000
"""Octets that a slow reader takes; more than the buffers on the way hold."""

SIP: Final = 20_000
"""Octets that it takes at a time, and the seconds it pauses between."""
PAUSE: Final = 0.01

IDLE: Final = 8.0
"""Seconds that an idle client stays at most; portmux may end it before."""

Tally = Counter[str]


class Wrong(Exception):
    """What came back is not what was sent."""


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def receive(sock: socket.socket, size: int = 1 << 40) -> bytes:
    """@return: everything up to the end, or up to so many octets."""
    data = bytearray()
    while len(data) < size and (piece := sock.recv(min(1 << 18, size - len(data)))):
        data += piece
    return bytes(data)


def check(got: bytes, sent: bytes) -> None:
    """@raise Wrong: they differ."""
    if got != sent:
        raise Wrong(f"sent {len(sent)} octets, got {len(got)}, or others")


@contextmanager
def sending(sock: socket.socket, data: bytes) -> Iterator[None]:
    """Send C{data} and the end of it while the body runs."""

    def send() -> None:
        with suppress(OSError):  # the body sees what is missing
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join()


# -- kinds; what begins with P is forwarded, what begins with E is echoed by portmux


def short(port: int, random: Random) -> int:
    return _once(port, b"P" + random.randbytes(63))


def echoed(port: int, random: Random) -> int:
    return _once(port, b"E" + random.randbytes(63))


def _once(port: int, data: bytes) -> int:
    with connect(port) as sock:
        sock.sendall(data)
        check(receive(sock, len(data)), data)
    return len(data)


def bulk(port: int, random: Random) -> int:
    data = b"P" + random.randbytes(random.randrange(BULK))
    with connect(port) as sock, sending(sock, data):
        check(receive(sock), data)
    return len(data)


def slow(port: int, random: Random) -> int:
    data, got = b"P" + random.randbytes(SLOW), bytearray()
    with connect(port) as sock, sending(sock, data):
        while piece := sock.recv(SIP):
            got += piece
            time.sleep(PAUSE)
    check(bytes(got), data)
    return len(data)


def half_closed(port: int, random: Random) -> int:
    data = b"P" + random.randbytes(1000)
    with connect(port) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        check(receive(sock), data)
    return len(data)


def idle(port: int, random: Random) -> int:
    """It may have been ended meanwhile."""
    with connect(port) as sock:
        sock.sendall(b"Pfirst")
        check(receive(sock, 6), b"Pfirst")
        time.sleep(random.random() * IDLE)
        with suppress(ConnectionError):
            sock.sendall(b"x")
            sock.recv(1)
    return 6


def reset(port: int, random: Random) -> int:
    """Wherever its octets are then, they are lost, and nothing else is."""
    with connect(port) as sock:
        sock.sendall(b"P" + bytes(random.randrange(300_000)))
        time.sleep(random.random() * 0.05)
        linger = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    return 0


def unmatched(port: int, random: Random) -> int:
    with connect(port) as sock, suppress(ConnectionError):
        sock.sendall(b"Q")
        check(sock.recv(1), b"")
    return 0


def silent(port: int, random: Random) -> int:
    with connect(port):
        time.sleep(random.random() * 0.2)
    return 0


Kind = Callable[[int, Random], int]
"""Given portmux's port, plays a client. @return: octets that came back as sent."""

KINDS: Final[tuple[Kind, ...]] = (
    *(short,) * 6,
    echoed,
    bulk,
    slow,
    half_closed,
    idle,
    reset,
    unmatched,
    silent,
)
"""Each is as likely as it stands here often."""


class Load:
    """
    Clients in threads, each of which plays one kind after another.

    @ivar done: how often each kind was played.
    @ivar octets: that came back as they were sent.
    @ivar faults: what went wrong, each a line.
    """

    def __init__(self, port: int, threads: int, seed: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(Random(f"{seed}/{number}"),))
            for number in range(threads)
        ]
        self.done: Tally = Counter()
        self.octets = 0
        self.faults: list[str] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, random: Random) -> None:
        while not self._over.is_set():
            kind = random.choice(KINDS)
            try:
                octets = kind(self._port, random)
            except (OSError, Wrong) as why:
                with self._lock:
                    self.faults.append(f"{kind.__name__}: {why!r}")
                continue
            with self._lock:
                self.done[kind.__name__] += 1
                self.octets += octets


# -- the other end


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Everything goes back, and the end of it."""
        with suppress(OSError):
            self.request.settimeout(PATIENCE)
            while data := self.request.recv(65536):
                self.request.sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024


@contextmanager
def echo() -> Iterator[int]:
    """Run a backend in threads. @return: its port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
