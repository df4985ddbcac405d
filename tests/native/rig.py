"""Real sockets on both sides of a loop of L{portmux._relay}."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import socket
from collections.abc import Callable
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from tests.sockets import receive

if TYPE_CHECKING or find_spec("portmux._relay"):
    from portmux._relay import Loop as Loop
    from portmux._relay import Pair as Pair
else:
    Loop, Pair = None, object

SKIP = None if find_spec("portmux._relay") else "the extension was not built"

PATIENCE = 30.0
"""Seconds for a thread to do its part, on a busy machine under a sanitizer."""

PIPES = 64
"""That a loop may have open at a time."""

LINGER = 10.0
"""Seconds for what is under way to arrive."""


class Kept(Pair):
    """A pair that can be seen to go."""

    __slots__ = ("__weakref__",)


class Relayed:
    """
    A pair in a loop, and the other ends of its sockets.

    @ivar client: talks to the relay's client socket; C{backend} likewise.
    @ivar prefilled: zeros that the backend had not read when it was begun.
    """

    def __init__(self, client: socket.socket, backend: socket.socket) -> None:
        self.pair = Kept()
        self.client = client
        self.backend = backend
        self.prefilled = 0

    def close(self) -> None:
        self.client.close()
        self.backend.close()


def unix() -> tuple[socket.socket, socket.socket]:
    """@return: a connected pair: the test's, the relay's."""
    ours, theirs = socket.socketpair()
    return ours, theirs


def tcp() -> tuple[socket.socket, socket.socket]:
    """@return: the same over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    return ours, theirs


def is_broken(sock: socket.socket) -> bool:
    """@return: whether a reset comes, behind an end that was read already."""
    poll = select.poll()
    poll.register(sock, 0)
    return any(events & select.POLLERR for _, events in poll.poll(PATIENCE * 1000))


def fill(sock: socket.socket) -> int:
    """@return: how many octets went in until there was no more room, for good."""
    total = calm = 0
    sock.setblocking(False)
    while calm < 3:
        before = total
        for size in (1 << 14, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    total += sock.send(bytes(size))
        # The system moves some of it on by itself, for a moment.
        select.select([], [], [], 0.05)
        calm = calm + 1 if total == before else 0
    return total


def descriptors() -> int:
    """@return: how many this process has open."""
    return len(os.listdir("/proc/self/fd"))


def sending(sock: socket.socket, data: bytes, end: bool = True) -> Thread:
    """@return: a thread that sends, and then maybe tells the end."""

    def run() -> None:
        with contextlib.suppress(ConnectionError):  # some tests reset it meanwhile
            sock.sendall(data)
            if end:
                sock.shutdown(socket.SHUT_WR)

    thread = Thread(target=run)
    thread.start()
    return thread


def receiving(sock: socket.socket, into: list[bytes]) -> Thread:
    """@return: a thread that receives up to the end."""
    thread = Thread(target=lambda: into.append(receive(sock)))
    thread.start()
    return thread


class LoopCase(SynchronousTestCase):
    """@ivar connect: makes the connections of L{relayed}."""

    skip = SKIP
    connect: Callable[[], tuple[socket.socket, socket.socket]] = staticmethod(unix)

    def setUp(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.before = descriptors()
        self.all: list[Relayed] = []
        self.loop = Loop(PIPES)

    def tearDown(self) -> None:
        with contextlib.suppress(ValueError):  # the test has closed it
            self.loop.close()
        for each in self.all:
            each.close()
        self.assertEqual(descriptors(), self.before)

    def relayed(
        self,
        rest: bytes = b"",
        ended: bool = False,
        idle: float | None = None,
        half_close: float | None = None,
        narrow: bool = False,
        full: bool = False,
    ) -> Relayed:
        """
        @param narrow: little fits between the relay and the backend.
        @param full: the backend has not read what was sent to it before, and there
            is no room for more.
        @return: what the loop has in hand now.
        """
        client, theirs = self.connect()
        backend, ours = self.connect()
        for sock in client, backend:
            sock.settimeout(PATIENCE)
        made = Relayed(client, backend)
        if narrow or full:
            # A size that was asked for does not grow.
            backend.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        if full:
            made.prefilled = fill(ours)
        ours.setblocking(False)
        self.all.append(made)
        self.loop.begin(
            made.pair,
            theirs.detach(),
            ours.detach(),
            rest,
            ended,
            idle,
            half_close,
        )
        return made

    def over(self, count: int = 1) -> list[Pair]:
        """@return: the next pairs that are over, when so many are."""
        pairs: list[Pair] = []
        while len(pairs) < count:
            ready, _, _ = select.select([self.loop], [], [], PATIENCE)
            self.assertTrue(ready, f"only {len(pairs)} of {count} are over")
            pairs += self.loop.over()
        return pairs

    def check(self, made: Relayed, end: str, sent: int, received: int) -> None:
        """Hold that this pair is the next and only one that is over, and how."""
        (pair,) = self.over()
        self.assertIs(pair, made.pair)
        self.assertEqual((pair.end, pair.sent, pair.received), (end, sent, received))

    def synchronise(self, made: Relayed) -> None:
        """Let the thread see everything from before; moves a byte each way."""
        made.client.sendall(b"?")
        self.assertEqual(made.backend.recv(1), b"?")
        made.backend.sendall(b"!")
        self.assertEqual(made.client.recv(1), b"!")

    def settle(self) -> None:
        """Have the thread done with what it was at: what arrives is counted later."""
        other = self.relayed()
        self.synchronise(other)
