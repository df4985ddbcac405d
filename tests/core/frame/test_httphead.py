"""Tests for L{portmux.core.frame.httphead}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.httphead import (
    Shape,
    answer_shape,
    bare_lines,
    is_trailer,
    request_shape,
)
from portmux.errors import Malformed
from tests.openings import OPENINGS, named

REFUSED = {"http11-curl-connect", "http11-curl-upgrade"}


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def get(*fields: str) -> bytes:
    return head("GET / HTTP/1.1", *fields)


def ok(*fields: str) -> bytes:
    return head("HTTP/1.1 200 OK", *fields)


class Case(SynchronousTestCase):
    def request(self, octets: bytes, shape: Shape) -> None:
        self.assertEqual(request_shape(octets), shape, octets)

    def answer(self, octets: bytes, shape: Shape, bodiless: bool = False) -> None:
        self.assertEqual(answer_shape(octets, bodiless), shape, octets)

    def refused(self, octets: bytes, text: str) -> None:
        error = self.assertRaises(Malformed, request_shape, octets)
        self.assertEqual(str(error), text, octets)

    def no_answer(self, octets: bytes, text: str) -> None:
        error = self.assertRaises(Malformed, answer_shape, octets, False)
        self.assertEqual(str(error), text, octets)


class RequestTests(Case):
    def test_real_heads(self) -> None:
        for name in named("http1") - REFUSED:
            octets = OPENINGS[name].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            self.assertIsNotNone(request_shape(octets).length, name)

    def test_length(self) -> None:
        """RFC 9112, section 6.3: without any, there is no body."""
        self.request(get(), Shape(0))
        self.request(get("Content-Length: 5"), Shape(5))
        self.request(get("content-LENGTH:\t05 "), Shape(5))
        self.request(get("Content-Length: 5, 5"), Shape(5))
        self.request(get("Content-Length: 5", "Content-Length: 5"), Shape(5))
        chunked = Shape(None, chunked=True)
        self.request(get("Transfer-Encoding: chunked"), chunked)
        self.request(get("Transfer-Encoding: gzip, Chunked"), chunked)
        self.request(
            get("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"), chunked
        )

    def test_ambiguous(self) -> None:
        """What another reader may take differently could smuggle a request."""
        several = "several values of Content-Length"
        self.refused(get("Content-Length: 5", "Content-Length: 6"), several)
        self.refused(get("Content-Length: 5, 6"), several)
        for value in ("", "-5", "+5", "0x5", "5 5", "5;", "9" * 19, "\xb2"):
            error = self.assertRaises(
                Malformed, request_shape, get(f"Content-Length: {value}")
            )
            self.assertTrue(str(error).startswith("a Content-Length of"), value)
        self.refused(
            get("Transfer-Encoding: chunked", "Content-Length: 5"),
            "Content-Length beside Transfer-Encoding",
        )
        unclear = "a Transfer-Encoding that does not tell the end"
        for value in (
            "gzip",
            "chunked, gzip",
            "chunked, chunked",
            "identity",
            "",
            "x chunked",
        ):
            self.refused(get(f"Transfer-Encoding: {value}"), unclear)
        self.refused(head("GET / HTTP/1.0", "Transfer-Encoding: chunked"), unclear)

    def test_lines(self) -> None:
        field = "a line of the head that is no field"
        for line in ("Content-Length : 5", " folded", "name", ": x", "a: \0", "a b: c"):
            self.refused(get(line), field)
        for octets in (
            b"GET / HTTP/1.1\nA: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\n\n",
            b"GET / HTTP/1.1\r\nA: b\r\n\n",
        ):
            self.refused(octets, "a line of the head that does not end with CR LF")
        self.refused(
            b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
            "a line of the head that does not end with CR LF",
        )
        for line in (
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/2.0",
            "G@T / HTTP/1.1",
            "GET / HTTP/1.1 ",
        ):
            self.refused(head(line), "no request line of HTTP/1")

    def test_what_can_not_be_shared(self) -> None:
        self.refused(
            head("CONNECT a:1 HTTP/1.1"),
            "a request of CONNECT, no tunnel can be shared",
        )
        upgrade = "a request to upgrade, another protocol can not be shared"
        self.refused(get("Connection: Upgrade", "Upgrade: websocket"), upgrade)
        for name in REFUSED:
            self.assertRaises(Malformed, request_shape, OPENINGS[name])

    def test_end_of_the_connection(self) -> None:
        """RFC 9112, section 9.3."""
        closes = Shape(0, closes=True)
        self.request(get("Connection: keep-alive"), Shape(0))
        self.request(get("Connection: x, Close"), closes)
        self.request(get("Connection: x", "Connection: close"), closes)
        self.request(head("GET / HTTP/1.0"), closes)
        self.request(head("GET / HTTP/1.0", "Connection: Keep-Alive"), Shape(0))

    def test_expectation(self) -> None:
        """RFC 9110, section 10.1.1: with HTTP/1.0 it is nothing."""
        fields = ("Expect: 100-Continue", "Content-Length: 5", "Connection: keep-alive")
        self.request(get(*fields), Shape(5, expects=True))
        self.request(head("PUT / HTTP/1.0", *fields), Shape(5))


class AnswerTests(Case):
    def test_no_body(self) -> None:
        """To HEAD, and with some statuses, whatever a length says."""
        self.answer(ok("Content-Length: 5"), Shape(0), bodiless=True)
        self.answer(ok("Transfer-Encoding: chunked"), Shape(0), bodiless=True)
        for status in ("204 No Content", "304 Not Modified"):
            self.answer(head(f"HTTP/1.1 {status}", "Content-Length: 5"), Shape(0))

    def test_interim(self) -> None:
        for status in ("100 Continue", "103 Early Hints", "199"):
            self.answer(head(f"HTTP/1.1 {status}"), Shape(0, interim=True))
        self.no_answer(
            head("HTTP/1.1 101 Switching Protocols"), "a switch to another protocol"
        )

    def test_length(self) -> None:
        self.answer(ok("Content-Length: 5"), Shape(5))
        self.answer(ok("Content-Length: 5", "Connection: close"), Shape(5, closes=True))
        self.answer(ok("Transfer-Encoding: gzip, chunked"), Shape(None, chunked=True))
        self.answer(head("HTTP/1.1 200", "Content-Length: 5"), Shape(5))
        self.answer(head("HTTP/1.0 200 OK", "Content-Length: 5"), Shape(5, closes=True))
        self.answer(b"HTTP/1.1 200 OK\nContent-Length: 5\n\n", Shape(5))

    def test_until_the_end(self) -> None:
        """RFC 9112, section 6.3, number 8."""
        closes = Shape(None, closes=True)
        self.answer(ok(), closes)
        self.answer(ok("Transfer-Encoding: gzip"), closes)
        self.answer(ok("Connection: keep-alive"), closes)

    def test_both(self) -> None:
        """Chunks win, and the connection is not used again: section 6.1."""
        self.answer(
            ok("Content-Length: 5", "Transfer-Encoding: chunked"),
            Shape(None, chunked=True, closes=True),
        )

    def test_wrong(self) -> None:
        for line in (
            "HTTP/1.1 20 OK",
            "HTTP/2 200 OK",
            "HTTP/1.1 2000 OK",
            "ICY 200 OK",
        ):
            self.no_answer(head(line), "no status line of HTTP/1")
        self.no_answer(ok(" folded"), "a line of the head that is no field")
        self.no_answer(ok("Content-Length: 5, 6"), "several values of Content-Length")


class TrailerTests(SynchronousTestCase):
    def test_trailer(self) -> None:
        self.assertTrue(is_trailer(b"\r\n"))
        self.assertTrue(is_trailer(b"A: b\r\nC:\n\r\n"))
        for octets in (b"", b"A: b\r\n", b"A\r\n\r\n", b"\r\n\r\n"):
            self.assertFalse(is_trailer(octets), octets)

    def test_bare_lines(self) -> None:
        self.assertFalse(bare_lines(b"a\r\n\r\n"))
        for octets in (b"a\n", b"a\r", b"a\n\r", b"\r\r\n", b"\r\n\n"):
            self.assertTrue(bare_lines(octets), octets)
