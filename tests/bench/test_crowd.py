"""Clients of a control plane."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from bench import crowd
from bench.crowd import Crowd, Dialect, by_lines, by_rpc, fill
from bench.processes import LoadFailed
from tests.integration.processes import until


class Plane:
    """Answers each piece that comes, in a thread for each client, or hangs up."""

    def __init__(self, kept: ExitStack, answer: bytes) -> None:
        self._answer = answer
        self._listening = kept.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.address = self._listening.getsockname()
        self.port = self.address[1]
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            while self._answer and sock.recv(65536):
                sock.sendall(self._answer)


class DialectTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """A reply ends with a line; that is enough where one is asked at a time."""
        dialect = by_lines(1)
        self.assertIn(b"SESSIONS\n", dialect.requests)
        self.assertTrue(dialect.whole(b"OK: Sessions: 1\n\t1 = x\n"))
        self.assertFalse(dialect.whole(b"OK: Sessions: 1\n\t1 = "))

    def test_rpc(self) -> None:
        """A response is as long as it says."""
        dialect = by_rpc(1)
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nserver: x\r\n\r\nabc"
        for cut in range(len(whole)):
            self.assertFalse(dialect.whole(whole[:cut]))
        self.assertTrue(dialect.whole(whole))
        (sessions,) = [one for one in dialect.requests if b'"sessions"' in one]
        head, _, body = sessions.partition(b"\r\n\r\n")
        self.assertIn(b"Content-Length: %d" % len(body), head)


class CrowdTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.kept = ExitStack()
        self.addCleanup(self.kept.close)
        self.core = min(os.sched_getaffinity(0))

    def crowd(self, plane: Plane, clients: int) -> Crowd:
        dialect = Dialect(
            plane.port, (b"a\n",), b"b\n", lambda data: data[-1:] == b"\n"
        )
        return Crowd(os.getpid(), [dialect], clients, 1000, self.core)

    def test_pace(self) -> None:
        """All who read are answered, one command at a time each."""
        with self.crowd(Plane(self.kept, b"ok\n"), 3) as found:
            until(lambda: len(found.waits) >= 20, lambda: f"{len(found.waits)} of 20")
        self.assertGreaterEqual(found.due, 19)
        self.assertTrue(all(0 < wait < 60 for wait in found.waits))

    def test_hung_up_on(self) -> None:
        """A control plane that ends connections is not measured."""
        found = self.crowd(Plane(self.kept, b""), 3)
        found.__enter__()
        found._thread.join()
        self.assertRaises(LoadFailed, found.__exit__)

    def test_without_an_end(self) -> None:
        """One that takes all, and bothers for none, is told."""
        self.patch(crowd, "FILL_LIMIT", 0.0)
        plane = Plane(self.kept, b"ok\n")
        sock = self.kept.enter_context(socket.create_connection(plane.address))
        sock.setblocking(False)
        dialect = Dialect(plane.port, (), b"b\n", bool)
        self.assertRaises(LoadFailed, fill, [(sock, dialect)], os.getpid())
