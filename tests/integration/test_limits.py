"""
Limits as clients meet them, and what many clients cost.

C{PORTMUX_IDLE} and C{PORTMUX_SLOW} are how many clients rest, and how many read
slowly, while memory is measured; C{PORTMUX_FIGURES} has the figures printed.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.integration.processes import (
    PATIENCE,
    ProcessCase,
    Running,
    backend,
    connect,
    exchange,
    figures,
    has_ended,
    say,
    until,
)
from tests.sockets import receive

IDLE = int(os.environ.get("PORTMUX_IDLE", "300"))
SLOW = int(os.environ.get("PORTMUX_SLOW", "20"))

MIB = 1 << 20

LIMITED = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    limits: %s
    routes:
      - {name: echo, match: {prefix: e}, echo: }
"""

FORWARD = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {timeout: none}
    routes:
      - {name: x, match: {prefix: x}, forward: "127.0.0.1:%d"}
"""


def connect_from(source: str, port: int) -> socket.socket:
    """@return: the connection of a client with this address."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))


def processor_ticks(running: Running) -> int:
    """@return: processor time that a process has used. proc(5), C{stat}."""
    fields = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class RefusalTests(ProcessCase):
    """A client that is one too many sees the end of the stream, and no byte."""

    def limited(self, limits: str) -> Running:
        """@return: a program whose listener has these limits."""
        return self.portmux(LIMITED % limits)

    def refused(self, client: socket.socket) -> None:
        """Check that a silent client is closed without a byte, then close it."""
        self.assertEqual(receive(client), b"")
        client.close()

    def ends(self, running: Running, count: int) -> list[str]:
        """@return: how the sessions ended, sorted, once so many have."""
        records = running.records(count)
        return sorted(line.partition(" end=")[2].split()[0] for line in records)

    def test_listener(self) -> None:
        """The third of two; a slot is free again when its session ends."""
        running = self.limited("{connections: 2}")
        port = running.port()
        with connect(port) as first, connect(port) as second:
            say(first, b"e")
            say(second, b"e")
            self.refused(connect(port))
            second.close()
            self.ends(running, 2)
            with connect(port) as fourth:
                say(fourth, b"e")
        self.assertEqual(
            self.ends(running, 4), ["done", "done", "done", "limit-connections"]
        )

    def test_whole_program(self) -> None:
        """Clients of all listeners count."""
        running = self.portmux(
            'listeners: {one: {bind: "127.0.0.1:0", echo: },'
            ' two: {bind: "127.0.0.1:0", echo: }}\nlimits: {connections: 2}\n'
        )
        one, two = running.port("one"), running.port("two")
        with connect(one) as first, connect(two) as second:
            say(first, b"1")
            say(second, b"2")
            self.refused(connect(one))
            self.refused(connect(two))
        self.assertEqual(
            self.ends(running, 4), ["done", "done", *["limit-connections-in-all"] * 2]
        )

    def test_route(self) -> None:
        """Only its own clients count for a route, and only it refuses."""
        running = self.portmux(
            'listeners: {front: {bind: "127.0.0.1:0", routes: ['
            "{name: a, match: {prefix: a}, echo: , limits: {connections: 1}},"
            " {name: b, match: {prefix: b}, echo: }]}}\n"
        )
        port = running.port()
        with connect(port) as first, connect(port) as second, connect(port) as third:
            say(first, b"a")
            say(second, b"b")
            third.sendall(b"a")
            self.assertEqual(receive(third), b"")
            running.wait_for("route=a .*end=limit-route-connections|end=limit-route")
            first.close()
            self.ends(running, 2)
            self.assertEqual(exchange(port, b"a"), b"a")
        self.assertEqual(
            self.ends(running, 4), ["done"] * 3 + ["limit-route-connections"]
        )

    def test_source(self) -> None:
        """One address has its share; the others have theirs."""
        running = self.limited("{per-source: 1}")
        port = running.port()
        with connect_from("127.0.0.2", port) as client:
            say(client, b"e")
            self.refused(connect_from("127.0.0.2", port))
            with connect_from("127.0.0.3", port) as other:
                say(other, b"e")
        self.ends(running, 3)
        with connect_from("127.0.0.2", port) as client:
            say(client, b"e")
        self.assertEqual(self.ends(running, 4), ["done"] * 3 + ["limit-per-source"])

    def test_rate(self) -> None:
        """How fast one address may come, however short its visits."""
        running = self.limited("{rate: 0.001}")
        port = running.port()
        with connect_from("127.0.0.2", port) as client:
            say(client, b"e")
        self.ends(running, 1)
        self.refused(connect_from("127.0.0.2", port))
        with connect_from("127.0.0.3", port) as client:
            say(client, b"e")
        self.assertEqual(self.ends(running, 3), ["done", "done", "limit-rate"])

    def test_ban(self) -> None:
        """Who tries what nobody offers is shut out; a probe of the port is not."""
        running = self.limited("{ban: {failures: 2, within: 1h, duration: 1h}}")
        port = running.port()
        for _ in range(5):
            connect_from("127.0.0.2", port).close()
        self.ends(running, 5)
        for count in (6, 7):
            with connect_from("127.0.0.2", port) as client:
                client.sendall(b"scan")
                client.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    receive(client)
            self.ends(running, count)
        self.refused(connect_from("127.0.0.2", port))
        with connect_from("127.0.0.3", port) as client:
            say(client, b"e")
        self.assertEqual(
            self.ends(running, 9), ["done", "limit-ban", *["no-route"] * 7]
        )
        self.assertEqual(running.text().count('detail="source is banned now"'), 1)


class DescriptorTests(ProcessCase):
    """C{RLIMIT_NOFILE}."""

    MANY = 500

    def setUp(self) -> None:
        super().setUp()
        self.allow_many_files()

    def test_few_descriptors(self) -> None:
        """With 64 of them 500 clients are served; those who wait cost nothing."""

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        with backend(b"A") as target, contextlib.ExitStack() as stack:
            text = FORWARD % target + "log: {access: access.log}\n"
            running = self.portmux(text, preexec=limit)
            port = running.port()
            clients = []
            for number in range(self.MANY):
                clients.append(stack.enter_context(connect(port)))
                clients[-1].sendall(b"x%03d" % number)
            running.wait_for("accepting pauses: every allowed descriptor is in use")
            self.assertEqual(receive(clients[0], 5), b"Ax000")

            before = processor_ticks(running)
            self.assertFalse(has_ended(running.pid, 0.5))
            used = (processor_ticks(running) - before) / os.sysconf("SC_CLK_TCK")
            self.assertLess(used, 0.25, "it does not rest while clients wait")

            for number, client in enumerate(clients[1:], 1):
                clients[number - 1].close()
                self.assertEqual(receive(client, 5), b"Ax%03d" % number)
            clients[-1].close()
            running.tell(signal.SIGTERM)
            self.assertEqual(running.status(), 0)
        text = (self.folder / "access.log").read_text()
        self.assertEqual(text.count(" attempts=1 "), self.MANY)
        self.assertEqual(text.count(" end=done\n"), self.MANY)

    def test_raised(self) -> None:
        """The soft limit is not ours to keep; the hard one is."""

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 300))

        running = self.portmux(LIMITED % "{}", preexec=limit)
        limits = Path(f"/proc/{running.pid}/limits").read_text()
        self.assertRegex(limits, r"Max open files +300 +300 ")


class _Fast(socketserver.BaseRequestHandler):
    """Sends all it has, as fast as it is taken."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _FastServer)
        self.request.recv(65536)
        piece = b"x" * 65536
        with contextlib.suppress(OSError):
            for _ in range(server.size // len(piece)):
                self.request.sendall(piece)
                with server.lock:
                    server.sent += len(piece)


class _FastServer(socketserver.ThreadingTCPServer):
    """@ivar sent: octets that were taken from all handlers so far."""

    daemon_threads = True
    request_queue_size = 1024
    size = 0
    sent = 0

    def __init__(self, size: int) -> None:
        super().__init__(("127.0.0.1", 0), _Fast)
        self.size = size
        self.lock = threading.Lock()


@contextlib.contextmanager
def fast_sender(size: int) -> Iterator[_FastServer]:
    """Run a backend that sends so many octets to everybody who says something."""
    with _FastServer(size) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class MemoryTests(ProcessCase):
    """What clients cost that do nothing, or not enough."""

    def setUp(self) -> None:
        super().setUp()
        self.allow_many_files()

    def test_idle_while_sniffed(self) -> None:
        """A client that has said nothing yet is small."""
        self.assertLess(self.resting(b""), 16_384)

    def test_idle_while_relayed(self) -> None:
        """So is one that is connected with its backend."""
        self.assertLess(self.resting(b"x"), 32_768)

    def resting(self, first: bytes) -> float:
        """
        @param first: what each client says.
        @return: octets that one of many takes.
        """
        with backend() as target, contextlib.ExitStack() as stack:
            running = self.portmux(FORWARD % target)
            port = running.port()
            exchange(port, b"x")
            before = running.memory()
            for _ in range(IDLE):
                client = stack.enter_context(connect(port))
                client.sendall(first)
                self.assertEqual(receive(client, len(first)), first)
            until(
                lambda: len(running.descriptors()) > IDLE,
                lambda: f"{len(running.descriptors())} descriptors",
            )
            each = (running.memory() - before) / IDLE
            figures(f"{IDLE} idle clients that said {first!r}: {each:.0f} octets each")
        return each

    def test_slow_readers(self) -> None:
        """However fast the backend is, what waits for a client has a limit."""
        size = 24 * MIB
        with fast_sender(size) as server, contextlib.ExitStack() as stack:
            running = self.portmux(FORWARD % server.server_address[1])
            before = running.memory()
            clients = [
                stack.enter_context(self.slow_client(running.port()))
                for _ in range(SLOW)
            ]
            self.wait_for_rest(server, running)
            self.assertLess(server.sent, SLOW * size, "nothing had to wait")
            each = (running.memory() - before) / SLOW
            figures(
                f"{SLOW} slow readers: {each / 1024:.0f} KiB each, while"
                f" {server.sent / SLOW / MIB:.1f} MiB were sent to each"
            )
            self.assertLess(each, MIB)
            self.assertEqual(self.read_all(clients), [size] * SLOW)
        ends = [line.rpartition(" end=")[2] for line in running.records(SLOW)]
        self.assertEqual(ends, ["done"] * SLOW)

    def slow_client(self, port: int) -> socket.socket:
        """@return: a client that has asked and does not read; it takes little."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", port))
        client.sendall(b"x")
        return client

    def wait_for_rest(self, server: _FastServer, running: Running) -> None:
        """Return when no byte moves any more."""
        seen = [-1] * 30

        def rests() -> bool:
            seen.append(server.sent + processor_ticks(running))
            return server.sent > 0 and len(set(seen[-30:])) == 1

        until(rests, lambda: f"{server.sent} octets sent")

    def read_all(self, clients: list[socket.socket]) -> list[int]:
        """@return: how many octets each of them gets."""
        got = dict.fromkeys(clients, 0)
        with selectors.DefaultSelector() as reading:
            for client in clients:
                reading.register(client, selectors.EVENT_READ, client)
            while reading.get_map():
                ready = reading.select(PATIENCE)
                assert ready, f"{len(reading.get_map())} wait for ever"
                for key, _ in ready:
                    data = key.data.recv(MIB)
                    got[key.data] += len(data)
                    if not data:
                        reading.unregister(key.data)
                        key.data.close()
        return list(got.values())
