"""Backends that speak TLS, openssl's and HAProxy's; the clients do not."""

from __future__ import annotations

from collections.abc import Sequence

from tests.integration.processes import Foreground, backend, exchange
from tests.peers.servers import certificate, haproxy, tls_server
from tests.peers.stage import PeersCase

CONFIG = """
listeners:
  front: {bind: "127.0.0.1:0", forward: {pool: lines}}
pools:
  lines:
    backends: ["127.0.0.1:${ONE}"]
    tls: {%s}
"""

GOOD = "name: one.test, ca-bundle: one.test.pem"


class BackendTests(PeersCase):
    """The server sends lines back in reverse, until one says that it shall close."""

    def setUp(self) -> None:
        super().setUp()
        self.port = self.reserve()

    def run_with(self, tls: str, options: Sequence[str] = ()) -> Foreground:
        """@return: portmux in front of the server."""
        tls_server(self, self.port, "one.test", options)
        return self.front(CONFIG % tls, ONE=self.port)

    def answer(self, running: Foreground) -> bytes:
        """@return: what a plain client gets."""
        port = str(running.port())
        ran = self.ask("nc", "-N", "127.0.0.1", port, data=b"drawer\nCLOSE\n")
        return ran.out

    def test_versions(self) -> None:
        """Both versions that are in use, and the end of each is in order."""
        for version in ("-tls1_2", "-tls1_3"):
            self.port = self.reserve()
            running = self.run_with(GOOD, [version])
            self.assertEqual(self.answer(running), b"reward\n")
            running.wait_for(r"sent=13 received=7 .* end=done")

    def test_minimum(self) -> None:
        """A server that is too old is not spoken to."""
        running = self.run_with(GOOD + ", minimum: TLSv1.3", ["-tls1_2"])
        self.assertEqual(self.answer(running), b"")
        running.wait_for(r"end=connect-failed detail=.*version")

    def test_client_certificate(self) -> None:
        """The server lets in who shows the certificate that it wants, nobody else."""
        certificate(self, "own.test")
        asks = ("-Verify", "1", "-CAfile", "own.test.pem", "-verify_return_error")
        running = self.run_with(
            GOOD + ", certificate: own.test.pem, key: own.test.key",
            asks,
        )
        self.assertEqual(self.answer(running), b"reward\n")
        self.port = self.reserve()
        running = self.run_with(GOOD, asks)
        self.assertEqual(self.answer(running), b"")

    def test_another(self) -> None:
        """The system's roots do not know it; its name is not that of the backend."""
        running = self.run_with("name: one.test")
        self.assertEqual(self.answer(running), b"")
        running.wait_for("its certificate is self-signed, and not trusted")
        self.port = self.reserve()
        running = self.run_with("ca-bundle: one.test.pem")
        self.assertEqual(self.answer(running), b"")
        running.wait_for(r"its certificate is not one for 127\.0\.0\.1")


HAPROXY = """
defaults
    mode tcp
    timeout connect 10s
    timeout client 1m
    timeout server 1m
listen far
    bind 127.0.0.1:%d ssl crt both.pem
    server one 127.0.0.1:%d
"""


class HaproxyTests(PeersCase):
    def test_far_side(self) -> None:
        """TLS between two proxies: both directions, each with its own end."""
        port = self.reserve()
        made = certificate(self, "one.test")
        key = (self.folder / "one.test.key").read_text()
        self.write(made.read_text() + key, "both.pem")
        with backend(b"A") as behind:
            haproxy(self, HAPROXY % (port, behind), port)
            running = self.front(CONFIG % GOOD, ONE=port)
            data = bytes(range(256)) * 4000
            self.assertEqual(exchange(running.port(), data), b"A" + data)
            running.wait_for(rf"sent={len(data)} received={len(data) + 1} .* end=done")
