"""Clients of a control plane: some ask at a common pace, some never read."""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from threading import Event, Thread, get_native_id
from typing import Final, cast

from bench.cost import cpu_seconds
from bench.processes import LoadFailed, pinned

LINES: Final = ("STATUS FULL", "LISTENERS", "BACKENDS", "SESSIONS", "ROUTES")
METHODS: Final = ("listTunnels", "listeners", "backends", "sessions", "routes")
"""What is asked for by turns."""

LONG: Final = "rpc.discover"
"""What is asked for by who never reads: long replies are soon enough of them."""

WINDOW: Final = 4096
"""Octets that the system takes for who never reads: what it takes is soon full."""

QUIET: Final = 0.3
"""Seconds in which nobody can say more, and portmux rests."""

REST: Final = 0.02
"""CPU seconds a second of a portmux that rests."""

FILL_LIMIT: Final = 25.0
"""Seconds until then; portmux cuts off who does not read for 30."""

CHUNK: Final = 1 << 16
"""Octets that are said at a time by who never reads."""


@dataclass(frozen=True)
class Dialect:
    """
    One way to speak with the control plane.

    @ivar requests: what is asked, by turns.
    @ivar flood: what is asked by who never reads.
    @ivar whole: whether octets are all of one reply.
    """

    port: int
    requests: tuple[bytes, ...]
    flood: bytes
    whole: Callable[[bytes], bool]


def by_lines(port: int) -> Dialect:
    """
    @return: the line protocol. A reply may come in pieces that end with a line.

    A line of JSON is a request, too; who never reads has such.
    """
    requests = tuple(f"{line}\n".encode() for line in LINES)
    flood = f"{_asked(LONG)}\n".encode()
    return Dialect(port, requests, flood, lambda data: data.endswith(b"\n"))


def by_rpc(port: int) -> Dialect:
    """@return: JSON-RPC over HTTP, all requests of a client on one connection."""
    requests = tuple(map(_posted, METHODS))
    return Dialect(port, requests, _posted(LONG), _is_whole_response)


def _asked(method: str) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method})


def _posted(method: str) -> bytes:
    body = _asked(method)
    lines = ("POST / HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
    head = "\r\n".join((*lines, f"Content-Length: {len(body)}"))
    return f"{head}\r\n\r\n{body}".encode()


def _is_whole_response(data: bytes) -> bool:
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return False
    _, _, length = head.lower().partition(b"content-length:")
    return len(body) >= int(length.partition(b"\r\n")[0])


@dataclass(eq=False)
class Asker:
    """
    One that reads.

    @ivar asked: when it last did.
    @ivar data: of the reply.
    """

    sock: socket.socket
    dialect: Dialect
    turn: int
    asked: float = 0.0
    data: bytearray = field(default_factory=bytearray)

    def ask(self) -> None:
        requests = self.dialect.requests
        self.data.clear()
        self.asked = time.perf_counter()
        self.sock.sendall(requests[self.turn % len(requests)])
        self.turn += 1

    def has_read(self) -> bool:
        """
        @return: whether its reply is whole now.
        @raise LoadFailed: it was hung up on.
        """
        piece = self.sock.recv(1 << 18)
        if not piece:
            raise LoadFailed("a control client was hung up on")
        self.data += piece
        return self.dialect.whole(bytes(self.data))


class Crowd:
    """
    So many clients, every fourth of whom never reads, while the body runs.

    @ivar lasted: seconds in which they were there.
    @ivar due: commands there were to be in that time.
    @ivar waits: seconds from each command to the end of its reply.
    """

    def __init__(
        self,
        pid: int,
        dialects: Sequence[Dialect],
        clients: int,
        pace: float,
        core: int,
    ) -> None:
        """
        @param pid: of portmux.
        @param pace: commands a second of all who read together.
        @param core: where the clients run.
        """
        self._pid = pid
        self._dialects = dialects
        self._clients = clients
        self._pace = pace
        self._core = core
        self._kept = ExitStack()
        self._deaf: list[tuple[socket.socket, Dialect]] = []
        self._askers: list[Asker] = []
        self._over = Event()
        self._thread = Thread(target=self._run)
        self._start = 0.0
        self._failure: Exception | None = None
        self._asked = 0
        self.due = self.lasted = 0.0
        self.waits: list[float] = []

    def __enter__(self) -> Crowd:
        """@raise LoadFailed: they cannot be where they are to be."""
        with ExitStack() as kept:
            for number, dialect in zip(range(self._clients), cycle(self._dialects)):
                # By fours, so that some of each dialect never read.
                deaf = number // len(self._dialects) % 4 == 3
                sock = kept.enter_context(socket.socket())
                if deaf:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
                sock.connect(("127.0.0.1", dialect.port))
                if deaf:
                    sock.setblocking(False)
                    self._deaf.append((sock, dialect))
                else:
                    self._askers.append(Asker(sock, dialect, number))
            fill(self._deaf, self._pid)
            self._kept = kept.pop_all()
        self._start = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        """@raise LoadFailed: somebody was not served."""
        self._over.set()
        self.lasted = time.perf_counter() - self._start
        self.due = self._pace * self.lasted
        self._thread.join()
        self._kept.close()
        await_rest(self._pid)  # until it has seen that they are gone: places are few
        if self._failure is not None:
            raise LoadFailed(f"control: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            with pinned(self._core):
                # The load is there, too, and what it measures is not to be ours.
                os.sched_setscheduler(get_native_id(), os.SCHED_IDLE, os.sched_param(0))
                self._ask_and_read()
        except (LoadFailed, OSError) as why:
            self._failure = why

    def _ask_and_read(self) -> None:
        free, start = deque(self._askers), self._start
        with selectors.DefaultSelector() as selector:
            for asker in self._askers:
                selector.register(asker.sock, selectors.EVENT_READ, asker)
            while not self._over.is_set():
                now = time.perf_counter()
                while free and start + self._asked / self._pace <= now:
                    free.popleft().ask()
                    self._asked += 1
                due = start + self._asked / self._pace - now
                for key, _ in selector.select(max(0.001, due)):
                    asker = cast(Asker, key.data)
                    if asker.has_read():
                        self.waits.append(time.perf_counter() - asker.asked)
                        free.append(asker)


def await_rest(pid: int) -> None:
    """
    Wait until a program has nothing more to do.

    @raise LoadFailed: that does not come.
    """
    limit = time.monotonic() + FILL_LIMIT
    spent = -QUIET
    while (now := cpu_seconds([pid])) - spent >= REST * QUIET:
        if time.monotonic() > limit:
            raise LoadFailed("portmux is busy without clients")
        spent = now
        time.sleep(QUIET)


def fill(deaf: Sequence[tuple[socket.socket, Dialect]], pid: int) -> None:
    """
    Have clients ask without reading until nobody listens to them any more.

    @param pid: of portmux, which does nothing else meanwhile.
    @raise LoadFailed: that does not end.
    """
    limit = time.monotonic() + FILL_LIMIT
    said = dict.fromkeys((sock for sock, _ in deaf), 0)
    with selectors.DefaultSelector() as selector:
        for sock, dialect in deaf:
            selector.register(sock, selectors.EVENT_WRITE, dialect.flood)
        while deaf:
            if time.monotonic() > limit:
                raise LoadFailed("who never reads is served without an end")
            spent = cpu_seconds([pid])
            ready = selector.select(QUIET)
            for key, _ in ready:
                sock, request = cast(socket.socket, key.fileobj), key.data
                begun = said[sock] % len(request)
                chunk = request * (CHUNK // len(request))
                try:
                    said[sock] += sock.send(chunk[begun:])
                except BlockingIOError:
                    continue
                except OSError as why:
                    text = f"who never reads was cut off: {why}"
                    raise LoadFailed(text) from why
            if not ready and cpu_seconds([pid]) - spent < REST * QUIET:
                break
