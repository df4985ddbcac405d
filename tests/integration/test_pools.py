"""Pools in a program that runs: who gets what, what is out, who waits."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.processes import (
    PATIENCE,
    Foreground,
    ProcessCase,
    backend,
    connect,
    exchange,
    until,
)
from tests.integration.test_reload import free_port
from tests.net.tls import make_certificate
from tests.sockets import receive

POOL = """\
pools:
  web:
    backends: [%s]
    %s
listeners:
  front: {bind: "127.0.0.1:0", sniff: {timeout: 200ms}, forward: {pool: web}}
"""


def pool(ports: list[int], options: str = "") -> str:
    """@return: a configuration with a pool of these backends."""
    backends = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    return POOL % (backends, options)


@contextmanager
def tls_backend(pem: str) -> Iterator[int]:
    """
    Run a backend that answers, backwards, once its client has finished.

    @return: its port.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(raw: socket.socket) -> None:
            with contextlib.suppress(OSError):
                sock = context.wrap_socket(raw, server_side=True)
                data = receive(sock)
                sock.sendall(data[::-1])
                sock.unwrap().close()

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    raw, _ = listening.accept()
                    raw.settimeout(PATIENCE)
                    threading.Thread(target=serve, args=(raw,), daemon=True).start()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


class PoolTests(ProcessCase):
    def answers(self, running: Foreground, count: int) -> list[bytes]:
        """@return: which backends have answered so many clients."""
        return [exchange(running.port(), b"") for _ in range(count)]

    def test_round_robin(self) -> None:
        with backend(b"A") as a, backend(b"B") as b, backend(b"C") as c:
            running = self.portmux(pool([a, b, c]))
            self.assertEqual(
                self.answers(running, 6), [b"A", b"B", b"C", b"A", b"B", b"C"]
            )

    def test_out_and_back(self) -> None:
        """Nobody fails when a backend dies; it is used again soon after its return."""
        port = free_port()
        with backend(b"B") as b:
            running = self.portmux(
                pool([port, b], "eject: {errors: 1, recheck: 100ms}")
            )
            self.assertEqual(self.answers(running, 4), [b"B"] * 4)
            name = f"pool web: backend 127.0.0.1:{port}"
            running.wait_for(f"warn: {name} is ejected: connection refused")
            attempts = [
                int(found) for found in running.wait_for(r"attempts=(\d)", 4)[:4]
            ]
            self.assertEqual(attempts, [2, 1, 1, 1])
            with revived(port) as served:
                running.wait_for(f"info: {name} is up: can be connected to")
                until(
                    lambda: exchange(running.port(), b"") != b"B" or served,
                    lambda: "only B has answered",
                )

    def test_states_outlive_a_reload(self) -> None:
        """What is ejected stays so; what is new is there at once."""
        dead = free_port()
        with backend(b"B") as b, backend(b"C") as c:
            running = self.portmux(pool([dead, b], "eject: {recheck: 1h}"))
            self.assertEqual(self.answers(running, 2), [b"B"] * 2)
            self.write(pool([dead, b, c], "eject: {recheck: 1h}"))
            self.assertIn("reloaded", running.reload())
            self.assertEqual(Counter(self.answers(running, 4)), {b"B": 2, b"C": 2})
            tries = re.findall(r"attempts=(\d)", running.text())
            self.assertEqual(tries[1:], ["1"] * (len(tries) - 1))

    def test_queue(self) -> None:
        """Who waits is served in turn, and its record says how long; others are not."""
        with backend(b"A") as a:
            options = "connections: 1\n    queue: {length: 1, timeout: 1m}"
            running = self.portmux(pool([a], options))
            with connect(running.port()) as first:
                self.assertEqual(receive(first, 1), b"A")
                with connect(running.port()) as second:
                    second.sendall(b"x")
                    with connect(running.port()) as third:
                        self.assertEqual(receive(third), b"")
                    running.wait_for("end=queue-full")
                    first.shutdown(socket.SHUT_WR)
                    self.assertEqual(receive(first), b"")
                    self.assertEqual(receive(second, 2), b"Ax")
                    second.shutdown(socket.SHUT_WR)
                    receive(second)
            (waited,) = running.wait_for(r"queued=(\S+) end=done")
            self.assertGreater(float(waited), 0.0)

    def test_sticky(self) -> None:
        with backend(b"A") as a, backend(b"B") as b:
            running = self.portmux(pool([a, b], "sticky: 1m"))
            self.assertEqual(self.answers(running, 4), [b"A"] * 4)

    def test_tls(self) -> None:
        """A backend that answers after the end only; the answer arrives whole."""
        pem = str(self.folder / "a.pem")
        make_certificate(pem, "127.0.0.1")
        with tls_backend(pem) as port:
            running = self.portmux(pool([port], "tls: {ca-bundle: a.pem}"))
            self.assertEqual(exchange(running.port(), b"abc"), b"cba")
            self.assertEqual(exchange(running.port(), b"x" * 999_999), b"x" * 999_999)
            running.wait_for("sent=999999 received=999999 .* end=done")

    def test_tls_of_another(self) -> None:
        """The client is closed without a byte; why is in the log and in the record."""
        pem = str(self.folder / "a.pem")
        make_certificate(pem, "other.example.org")
        with tls_backend(pem) as port:
            running = self.portmux(pool([port], f"tls: {{ca-bundle: {pem}}}"))
            with connect(running.port()) as client:
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(receive(client), b"")
            why = "its certificate is not one for 127.0.0.1"
            running.wait_for(f"warn: backend 127.0.0.1:{port}: {why}")
            running.wait_for(f'end=connect-failed detail="127.0.0.1:{port}: {why}"')

    def test_tls_files(self) -> None:
        """They are read at the start, and again at a reload, which they can refuse."""
        pem = self.folder / "a.pem"
        text = pool([1], "tls: {ca-bundle: a.pem}")
        make_certificate(str(pem), "127.0.0.1")
        running = self.portmux(text)
        pem.write_text("nothing\n")
        self.assertIn("not reloaded", running.reload())
        self.assertIn(f"tls.ca-bundle: {pem}: is no PEM file", running.text())
        make_certificate(str(pem), "127.0.0.1")
        self.assertIn("reloaded: 1", running.reload())


@contextmanager
def revived(port: int) -> Iterator[list[bool]]:
    """
    Have somebody listen on a port again, who ends every connection.

    @return: becomes true with the first of them that is not a mere check.
    """
    served: list[bool] = []
    with socket.create_server(("127.0.0.1", port), backlog=100) as listening:

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    sock, _ = listening.accept()
                    sock.settimeout(PATIENCE)
                    sock.sendall(b"A")
                    sock.close()
                    served.append(True)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield served
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
