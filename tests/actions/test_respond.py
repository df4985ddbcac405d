"""Tests for L{portmux.actions.respond}."""

from __future__ import annotations

from pathlib import Path

from portmux.actions.respond import Respond
from portmux.core.session import LINGER
from tests.actions.decoding import decoded, faults_of
from tests.net.stage import StageCase, policy

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


class OptionTests(StageCase):
    def test_written(self) -> None:
        """Bytes alone, or an HTTP answer."""
        self.assertEqual(decoded('respond: "hello\\n"'), Respond(b"hello\n"))
        self.assertEqual(decoded('respond: {hex: "00ff"}'), Respond(b"\x00\xff"))
        self.assertEqual(decoded('respond: {bytes: ""}'), Respond(b""))
        self.assertEqual(decoded("respond:"), Respond())
        self.assertEqual(
            decoded('respond: {status: 503, headers: {Retry-After: "9"}, body: soon}'),
            Respond(status=503, headers={"Retry-After": "9"}, body=b"soon"),
        )

    def test_faults(self) -> None:
        """Each names what is allowed, at its place."""
        for text, path, allowed in (
            ("{status: 100}", "respond.status", "200 to 599 is"),
            ("{status: 600}", "respond.status", "200 to 599 is"),
            ("{file: index.html}", "respond.file", "starts with / is"),
            ("{body: a, file: /a}", "respond.file", "one of them is allowed"),
            ("{bytes: a, body: b}", "respond.body", "bytes alone are allowed"),
            ("{bytes: a, status: 404}", "respond.status", "bytes alone are allowed"),
            ("{bytes: a, headers: {A: b}}", "respond.headers", "bytes alone"),
            ("{status: 204, body: a}", "respond.body", "another status is needed"),
            ("{headers: {content-length: '1'}}", "respond.headers", "cannot be given"),
            ("{headers: {Transfer-Encoding: a}}", "respond.headers", "cannot be given"),
            ("{headers: {'a b': c}}", "respond.headers", "letters, digits and -"),
            ("{headers: {'': c}}", "respond.headers", "letters, digits and -"),
            ('{headers: {A: "b\\r\\nC: d"}}', "respond.headers", "visible ASCII"),
            ('{headers: {A: " b"}}', "respond.headers", "visible ASCII"),
            ("{headers: {A: ä}}", "respond.headers", "visible ASCII"),
            ("{headers: {A: b, a: c}}", "respond.headers", "one of a name is allowed"),
        ):
            faults = faults_of(f"respond: {text}")
            self.assertEqual(len(faults), 1, text)
            self.assertIn(f"{path}: ", faults[0])
            self.assertIn(allowed, faults[0])

    def test_made_by_hand(self) -> None:
        """The same rules hold."""
        self.assertRaises(ValueError, Respond, b"a", body=b"b")
        self.assertRaises(ValueError, Respond, status=0)
        self.assertRaises(ValueError, Respond, headers={"a\n": "b"})
        self.assertRaises(ValueError, Respond, file="/\0")

    def test_descriptors(self) -> None:
        """A file is one more."""
        self.assertEqual(Respond(b"a").plan().descriptors, 0)
        self.assertEqual(Respond(body=b"a").plan().descriptors, 0)
        self.assertEqual(Respond(file="/a").plan().descriptors, 1)


class BytesTests(StageCase):
    def test_send(self) -> None:
        """Just these, then the end; what the client sent is read."""
        client = self.accept(policy([(b"a", Respond(b"hello\n").plan())]), b"abc")
        client.sendall(bytes(1 << 16))
        self.assertEqual(self.receive(client), b"hello\n")
        self.assertTrue(self.is_ended(client))
        self.assertEqual(self.records, [])
        client.close()
        record = self.record()
        self.assertEqual((record.end, record.received), ("done", 6))
        self.assertEqual(record.sent, 3)  # what is dropped after the end is not

    def test_silent_client(self) -> None:
        """A greeting for whoever waits for one."""
        routes = [(b"a", Respond(b"no").plan())]
        wanted = policy(routes, silent=Respond(b"hi").plan(), silence=1.0)
        client = self.accept(wanted)
        self.reactor.advance(1.1)
        self.assertEqual(self.receive(client), b"hi")
        client.close()
        self.assertEqual(self.record().route, "silent")

    def test_client_that_does_not_finish(self) -> None:
        """It is closed after a while."""
        client = self.accept(policy([(b"a", Respond(b"hello\n").plan())]), b"abc")
        self.reactor.advance(LINGER - 0.1)
        client.sendall(b"more")
        self.reactor.settle()
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        record = self.record()
        self.assertEqual((record.end, record.sent), ("done", 3))
        self.assertEqual(self.receive(client), b"hello\n")

    def test_client_gone(self) -> None:
        """No timer is left; the answer was given before."""
        self.accept(policy([(b"a", Respond(b"hello\n").plan())]), b"abc")
        self.stop_all()
        self.assertEqual(self.record().end, "done")


class HttpTests(StageCase):
    """What of an answer the options decide; the rest is of L{portmux.net.answers}."""

    def asked(self, action: Respond) -> tuple[bytes, bytes]:
        """@return: head and body of its answer, without the date."""
        client = self.accept(policy([(b"GET ", action.plan())]), GET)
        head, _, body = self.receive(client).partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        return b"|".join(one for one in lines if not one.startswith(b"Date: ")), body

    def test_body(self) -> None:
        """Text, unless it is said to be something else."""
        self.assertEqual(
            self.asked(Respond(body=b"hello")),
            (
                b"HTTP/1.1 200 OK|Content-Type: text/plain; charset=utf-8"
                b"|Content-Length: 5",
                b"hello",
            ),
        )
        headers = {"content-type": "text/html", "Retry-After": "60"}
        self.assertEqual(
            self.asked(Respond(status=503, headers=headers, body=b"<p>")),
            (
                b"HTTP/1.1 503 Service Unavailable|content-type: text/html"
                b"|Retry-After: 60|Content-Length: 3",
                b"<p>",
            ),
        )

    def test_nothing(self) -> None:
        """An empty answer has no type."""
        head = b"HTTP/1.1 200 OK|Content-Length: 0"
        self.assertEqual(self.asked(Respond()), (head, b""))
        head = b"HTTP/1.1 204 No Content"
        self.assertEqual(self.asked(Respond(status=204)), (head, b""))

    def test_file(self) -> None:
        """Its type is told by its name."""
        for name, kind in (
            ("a.html", b"text/html"),
            ("a.png", b"image/png"),
            ("a", b"application/octet-stream"),
            ("a.tar.gz", b"application/octet-stream"),
        ):
            path = self.path(name)
            Path(path).write_bytes(b"content")
            head, body = self.asked(Respond(file=path))
            self.assertIn(b"|Content-Type: " + kind + b"|", head)
            self.assertEqual(body, b"content")

    def test_not_http(self) -> None:
        """Whatever comes instead is told so."""
        client = self.accept(policy(fallback=Respond(body=b"a").plan()), b"hello\n")
        self.assertTrue(self.receive(client).startswith(b"HTTP/1.1 400 "))
