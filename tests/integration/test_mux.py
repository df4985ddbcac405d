"""Many clients of a running portmux share a connection, also across reloads."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from threading import Thread

from tests.integration.processes import Foreground, ProcessCase, Running, connect, until
from tests.sockets import receive

CONFIG = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    mux: {protocol: line, to: "127.0.0.1:%d", connect: {at-start: true}%s}
%s"""

POOL = """\
listeners: {front: {bind: "127.0.0.1:0", mux: {protocol: line, pool: plc}}}
pools: {plc: {backends: ["127.0.0.1:%d"]}}
"""


class Target:
    """
    Answers lines in capitals.

    @ivar connections: those that there were.
    @ivar live: those that there are.
    """

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.connections = self.live = 0
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            self.live += 1
            Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as lines:
            try:
                for line in lines:
                    sock.sendall(line.upper())
            except OSError:
                pass
        self.live -= 1


class MuxTests(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        self.target = Target()
        self.addCleanup(self.target.listening.close)

    def run_it(self) -> Foreground:
        running = self.portmux(CONFIG % (self.target.port, "", ""))
        self.until(lambda: self.target.live == 1, running)
        return running

    def until(self, so: Callable[[], bool], running: Running) -> None:
        until(so, running.text)

    def ask(self, client: socket.socket, word: bytes) -> bytes:
        client.sendall(word + b"\n")
        return receive(client, len(word) + 1)

    def test_one_connection(self) -> None:
        """Made before anybody comes, kept when all have left."""
        running = self.run_it()
        for word in (b"one", b"two"):
            with connect(running.port()) as client:
                self.assertEqual(self.ask(client, word), word.upper() + b"\n")
        self.assertEqual((self.target.connections, self.target.live), (1, 1))

    def test_reload(self) -> None:
        """It goes on where mux is as it was; else with the last client that had it."""
        running = self.run_it()
        with connect(running.port()) as client:
            self.ask(client, b"before")
            more = "    timeouts: {idle: 1h}\n"
            self.reload(running, CONFIG % (self.target.port, "", more))
            self.assertEqual(self.ask(client, b"between"), b"BETWEEN\n")
            self.assertEqual(self.target.connections, 1)
            self.reload(running, CONFIG % (self.target.port, ", pause: 1ms", more))
            self.until(lambda: self.target.live == 2, running)
            self.assertEqual(self.ask(client, b"after"), b"AFTER\n")
        self.until(lambda: self.target.live == 1, running)
        with connect(running.port()) as client:
            self.assertEqual(self.ask(client, b"again"), b"AGAIN\n")

    def test_end(self) -> None:
        """A client that only waits is no reason to stay for ever."""
        running = self.run_it()
        with connect(running.port()) as client:
            self.ask(client, b"word")
            running.tell(signal.SIGTERM)
            running.wait_for("draining 1 session")
            running.tell(signal.SIGTERM)
            self.assertEqual(running.status(), 0)
        self.until(lambda: self.target.live == 0, running)

    def test_reload_of_the_pool(self) -> None:
        """What is no longer there gets no more requests, however well it works."""
        other = Target()
        self.addCleanup(other.listening.close)
        running = self.portmux(POOL % self.target.port)
        with connect(running.port()) as client:
            self.ask(client, b"before")
            self.reload(running, POOL % other.port)
            self.until(lambda: self.target.live == 0, running)
            self.assertEqual(self.ask(client, b"after"), b"AFTER\n")
        self.assertEqual((self.target.connections, other.connections), (1, 1))

    def test_hangup(self) -> None:
        """Where it is wanted so, that is the end, too."""
        running = self.portmux(CONFIG % (self.target.port, "", "hangup: drain\n"))
        with connect(running.port()) as client:
            self.ask(client, b"word")
            running.tell(signal.SIGHUP)
            running.wait_for("draining 1 session")
            self.assertEqual(self.ask(client, b"more"), b"MORE\n")
        self.assertEqual(running.status(), 0)

    def reload(self, running: Running, text: str) -> None:
        self.write(text)
        self.assertIn("reloaded: 1", running.reload())
