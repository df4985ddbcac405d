"""Tests for L{portmux.control.http}."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from portmux.control.desk import Desk
from portmux.control.flow import PATIENCE
from portmux.control.http import AHEAD, LIMIT, REQUEST, HttpSession
from portmux.control.turns import AT_ONCE, Turns
from tests.control.stage import Office, Wire

JSON = "Content-Type: application/json"
COUNT = b'{"jsonrpc":"2.0","id":1,"method":"numberOfTunnels"}'
ZERO = b'{"jsonrpc":"2.0","result":0,"id":1}'


def request(
    body: bytes = COUNT, *headers: str, method: str = "POST", host: str = "localhost"
) -> bytes:
    given = headers or (JSON,)
    lines = [f"{method} / HTTP/1.1", f"Host: {host}", *given]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class HttpCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.office = Office()
        self.clock = Clock()
        self.desk = Desk(self.office, turns=Turns(self.clock.seconds))
        self.left: list[Any] = []
        self.begin()

    def begin(self, trusted: bool = False, crowded: bool = False) -> None:
        self.wire = Wire()
        self.session = HttpSession(
            self.desk, self.clock, trusted, crowded, self.left.append
        )
        self.session.makeConnection(self.wire)

    def ask(self, data: bytes) -> tuple[int, bytes]:
        """@return: status and body of the first answer."""
        if self.wire.over:
            self.begin()
        self.session.dataReceived(data)
        head, _, body = self.wire.said.partition(b"\r\n\r\n")
        self.head, self.wire.said = head.decode(), b""
        return int(head.split(b" ")[1]), body


class PostTests(HttpCase):
    def test_call(self) -> None:
        self.assertTrue(verifyObject(IHalfCloseableProtocol, self.session))
        self.assertEqual(self.ask(request()), (200, ZERO))
        self.assertIn("content-type: application/json; charset=utf-8", self.head)
        self.assertEqual(self.ask(request()), (200, ZERO))
        self.assertFalse(self.wire.over)

    def test_any_cut(self) -> None:
        for octet in request():
            self.session.dataReceived(bytes([octet]))
        self.assertTrue(self.wire.said.endswith(ZERO))

    def test_pipelined(self) -> None:
        """Answers come in order, and others have their turn between them."""
        self.session.dataReceived(request() * (AT_ONCE + 3))
        self.assertEqual(self.wire.said.count(ZERO), AT_ONCE)
        self.clock.advance(0)
        self.assertEqual(self.wire.said.count(ZERO), AT_ONCE + 3)

    def test_ahead(self) -> None:
        """Of who asks faster than is answered, only so much is read."""
        many = AHEAD // len(request()) + 10
        self.session.dataReceived(request() * many)
        self.assertFalse(self.wire.reading)
        for _ in range(many):
            self.clock.advance(0)
        self.assertTrue(self.wire.reading)
        self.assertEqual(self.wire.said.count(ZERO), many)

    def test_kinds(self) -> None:
        for kind in ("application/json; charset=utf-8", "Application/JSON"):
            self.assertEqual(self.ask(request(COUNT, f"Content-Type: {kind}"))[0], 200)
        for kind in ("text/html", "text/plain", "application/json-rpc"):
            self.assertEqual(self.ask(request(COUNT, f"Content-Type: {kind}"))[0], 415)
        self.assertEqual(self.ask(request(COUNT, "X: y"))[0], 415)

    def test_methods(self) -> None:
        for method in ("GET", "PUT", "OPTIONS", "HEAD"):
            status, _ = self.ask(request(b"", JSON, method=method))
            self.assertEqual(status, 405)
            self.assertIn("allow: POST", self.head)

    def test_no_json(self) -> None:
        """The status says so; a fault in JSON-RPC is an answer like others."""
        for body in (b"x", b" " * 128 + b"{}"):
            status, said = self.ask(request(body))
            self.assertEqual((status, json.loads(said)["error"]["code"]), (400, -32700))
        status, said = self.ask(request(b"  {"))
        self.assertEqual((status, json.loads(said)["error"]["code"]), (200, -32700))

    def test_notification(self) -> None:
        body = b'{"jsonrpc":"2.0","method":"numberOfTunnels"}'
        self.assertEqual(self.ask(request(body)), (200, b""))

    def test_too_large(self) -> None:
        """By what is said before, or by what comes."""
        head = request(b"", JSON, f"Content-Length: {LIMIT + 1}")
        status, said = self.ask(head)
        self.assertEqual((status, json.loads(said)["error"]["code"]), (413, -32007))
        self.assertTrue(self.wire.over)
        self.begin()
        self.session.dataReceived(request(b"", JSON, "Transfer-Encoding: chunked"))
        for _ in range(LIMIT // 65536):
            self.session.dataReceived(b"10000\r\n" + b" " * 65536 + b"\r\n")
        self.assertEqual(self.wire.said, b"")
        self.assertEqual(self.ask(b"1\r\n \r\n")[0], 413)

    def test_continue(self) -> None:
        """curl asks before it sends a long body."""
        head, _, body = request(COUNT, JSON, "Expect: 100-continue").partition(
            b"\r\n\r\n"
        )
        self.assertEqual(self.ask(head + b"\r\n\r\n")[0], 100)
        self.assertEqual(self.ask(body), (200, ZERO))

    def test_watch(self) -> None:
        body = b'{"jsonrpc":"2.0","id":1,"method":"watch"}'
        _, said = self.ask(request(body))
        self.assertIn("WebSocket", json.loads(said)["error"]["message"])

    def test_malformed(self) -> None:
        for data in (b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000):
            self.assertIn(self.ask(data)[0], (400, 414, 431))
            self.assertTrue(self.wire.over)


class AccessTests(HttpCase):
    def test_host_and_origin(self) -> None:
        """A page of anybody's can do nothing."""
        self.assertEqual(self.ask(request(host="evil.example"))[0], 403)
        page = "Origin: http://evil.example"
        self.assertEqual(self.ask(request(COUNT, JSON, page))[0], 403)
        self.desk.hosts = ["evil.example"]
        self.assertEqual(self.ask(request(host="evil.example"))[0], 200)

    def test_token(self) -> None:
        self.desk.token = b"secret"
        self.assertEqual(self.ask(request())[0], 401)
        self.assertIn("www-authenticate: Bearer", self.head)
        for said, status in [("Bearer other", 401), ("Basic secret", 401)]:
            found = self.ask(request(COUNT, JSON, f"Authorization: {said}"))[0]
            self.assertEqual(found, status)
        self.assertEqual(
            self.ask(request(COUNT, JSON, "Authorization: Bearer secret"))[0], 200
        )
        self.desk.token = "gehéim".encode()
        told = "Authorization: Bearer gehéim"
        self.assertEqual(self.ask(request(COUNT, JSON, told))[0], 200)

    def test_wrong_token(self) -> None:
        """It stands in the log, and who said it; to say none is no attempt."""
        self.desk.token = b"secret"
        with capturedLogs() as heard:
            self.ask(request(COUNT, JSON, "Authorization: Bearer other"))
            self.ask(request())
        (event,) = heard
        told = formatEvent(event)
        self.assertEqual(told, f"control: {self.wire.getPeer()} said a wrong token")

    def test_trusted(self) -> None:
        """A unix socket's clients are asked for nothing."""
        self.desk.token = b"secret"
        self.begin(trusted=True)
        self.assertEqual(self.ask(request(host="whatever"))[0], 200)

    def test_crowd(self) -> None:
        self.begin(crowded=True)
        self.assertEqual(self.ask(request())[0], 429)


class LifeTests(HttpCase):
    def test_slow_request(self) -> None:
        self.session.dataReceived(request()[:-5])
        self.clock.advance(REQUEST)
        self.assertTrue(self.wire.aborted)

    def test_never_reads(self) -> None:
        """No answer is made that nobody takes."""
        self.wire.producer.pauseProducing()
        self.session.dataReceived(request() * 100)
        self.assertEqual((self.wire.said, self.wire.reading), (b"", False))
        self.clock.advance(PATIENCE)
        self.assertTrue(self.wire.aborted)

    def test_end(self) -> None:
        """What was asked before is answered."""
        self.session.dataReceived(request())
        self.session.readConnectionLost()
        self.assertTrue(self.wire.said.endswith(ZERO))
        self.assertTrue(self.wire.lost)

    def test_over(self) -> None:
        self.session.connectionLost()
        self.assertEqual(self.left, [self.session])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @given(st.lists(st.binary(max_size=200), max_size=5))
    def test_noise(self, pieces: list[bytes]) -> None:
        self.session.connectionLost()
        self.begin()
        for piece in [b"POST / HTTP/1.1\r\n", *pieces]:
            if not self.wire.over:
                self.session.dataReceived(piece)
        self.session.connectionLost()
        self.assertEqual(self.clock.getDelayedCalls(), [])
