"""Test portmux.net.scrape, with clients that speak HTTP by hand."""

from __future__ import annotations

import socket

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from portmux.net.scrape import MOST, PATIENCE, Scraped
from tests.net.turned import Turned


class ScrapeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Turned()
        self.addCleanup(self.reactor.close)
        self.accepts: list[str] = []
        self.token: bytes | None = None
        self.scraped = Scraped(self.reactor, self._render, lambda: self.token)
        self.addCleanup(self._stop)
        self.text = b"up 1\n"

    def _stop(self) -> None:
        self.scraped.stop()
        self.reactor.settle()
        self.assertEqual(self.reactor.left(), [])

    def _render(self, accept: str) -> tuple[bytes, str]:
        self.accepts.append(accept)
        return self.text, "text/plain; version=0.0.4"

    def connect(self) -> socket.socket:
        theirs, ours = socket.socketpair()
        self.addCleanup(theirs.close)
        theirs.setblocking(False)
        self.scraped.accept(ours)
        self.reactor.settle()
        return theirs

    def ask(self, request: bytes, client: socket.socket | None = None) -> bytes:
        """@return: the answer, as far as it has come."""
        client = client or self.connect()
        client.send(request)
        self.reactor.settle()
        try:
            return client.recv(1 << 20)
        except BlockingIOError:
            return b""

    def get(self, path: str, method: str = "GET", *headers: str) -> tuple[bytes, bytes]:
        """@return: the head and the body of the answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: here", *headers, "", ""]
        head, _, body = self.ask("\r\n".join(lines).encode()).partition(b"\r\n\r\n")
        return head, body

    def test_get(self) -> None:
        head, body = self.get("/metrics", "GET", "Accept: text/plain")
        self.assertEqual(body, b"up 1\n")
        self.assertIn(b" 200 OK\r\n", head)
        self.assertIn(b"text/plain; version=0.0.4", head)
        self.assertIn(b"portmux", head)
        self.assertEqual(self.accepts, ["text/plain"])

    def test_token(self) -> None:
        """Where there is one, only who says it is told anything."""
        self.token = b"secret"
        for headers in (
            (),
            ("Authorization: Bearer other",),
            ("Authorization: Basic secret",),
        ):
            head, body = self.get("/metrics", "GET", *headers)
            self.assertIn(b" 401 Unauthorized\r\n", head)
            self.assertIn(b"Bearer", head)
            self.assertNotIn(self.text, body)
        _, body = self.get("/metrics", "GET", "Authorization: bearer secret")
        self.assertEqual(body, self.text)

    def test_wrong_token(self) -> None:
        """It stands in the log; to say none is no attempt."""
        self.token = b"secret"
        with capturedLogs() as heard:
            self.get("/metrics", "GET", "Authorization: Bearer other")
            self.get("/metrics")
        told = [formatEvent(event) for event in heard if "peer" in event]
        self.assertEqual(len(told), 1)
        self.assertTrue(told[0].endswith(" said a wrong token"), told)

    def test_query(self) -> None:
        """Prometheus may be told to add parameters."""
        self.assertEqual(self.get("/metrics?name=x")[1], b"up 1\n")

    def test_head(self) -> None:
        head, body = self.get("/metrics", "HEAD")
        self.assertIn(b" 200 OK\r\n", head)
        self.assertEqual(body, b"")

    def test_elsewhere(self) -> None:
        """It says where."""
        for path in ("/", "/metrics/", "/metric"):
            head, body = self.get(path)
            self.assertIn(b" 404 ", head)
            self.assertIn(b"/metrics", body)
        self.assertEqual(self.accepts, [])

    def test_other_methods(self) -> None:
        for method in ("POST", "DELETE"):
            head, _ = self.get("/metrics", method, "Content-Length: 0")
            self.assertIn(b" 405 ", head)
            self.assertIn(b"\r\nAllow: GET, HEAD", head)

    def test_many_requests(self) -> None:
        """One connection serves for all scrapes."""
        client = self.connect()
        request = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"
        for self.text in (b"up 1\n", b"up 2\n"):
            self.assertTrue(self.ask(request, client).endswith(self.text))

    def test_body_is_dropped(self) -> None:
        """What nobody needs is kept nowhere."""
        client = self.connect()
        self.ask(
            b"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", client
        )
        self.assertIn(b" 200 ", self.ask(b"abc", client))

    def test_noise(self) -> None:
        """It gets an answer that says so, or none."""
        answer = self.ask(b"\x16\x03\x01\x00\r\n\r\n")
        self.assertNotIn(b" 200 ", answer)

    def test_rests(self) -> None:
        """Who says nothing for too long is let go."""
        client = self.connect()
        self.reactor.advance(PATIENCE - 1)
        self.assertRaises(BlockingIOError, client.recv, 1)
        self.reactor.advance(2)
        self.reactor.settle()
        self.assertEqual(client.recv(1), b"")

    def test_too_many(self) -> None:
        """More are closed; a place is free again when somebody leaves."""
        first = [self.connect() for _ in range(MOST)]
        self.assertEqual(self.connect().recv(1), b"")
        first[0].close()
        self.reactor.settle()
        self.assertRaises(BlockingIOError, self.connect().recv, 1)

    def test_stop(self) -> None:
        """Nobody is left connected."""
        client = self.connect()
        self.scraped.stop()
        self.reactor.settle()
        self.assertEqual(client.recv(1), b"")
