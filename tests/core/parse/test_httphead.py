"""Tests for L{portmux.core.parse.httphead}."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.parse.httphead import MOST, Request, RequestParser
from portmux.errors import Malformed
from portmux.testing import CountingBuffer, noise, steps
from tests.openings import OPENINGS, named

HTTP = {name: OPENINGS[name] for name in named("http1")}


def request(line: bytes = b"GET / HTTP/1.1", *fields: bytes) -> bytes:
    """@return: a head of these lines."""
    return b"".join(one + b"\r\n" for one in (line, *fields, b""))


def read(data: bytes, cuts: Iterable[int] = ()) -> Request | None:
    """@return: the head that comes in segments, if it is whole."""
    parser, buffer = RequestParser(), bytearray()
    found = None
    for end in (*sorted(cuts), len(data)):
        buffer += data[len(buffer) : end]
        found = parser.read(buffer)
    return found


def whole(data: bytes) -> Request:
    """@return: the head in C{data}, which must be the same at any cut."""
    found, slowly = read(data), read(data, range(1, len(data)))
    assert found is not None and slowly is not None
    assert repr(found) == repr(slowly), data
    return found


def malformed_at(data: bytes, line: bool = False) -> int | None:
    """@return: how many octets show that this is no request; None: it may be."""
    parser, buffer = RequestParser(), bytearray()
    for octet in data:
        buffer.append(octet)
        try:
            if line:
                parser.read_line(buffer)
            else:
                parser.read(buffer)
        except Malformed:
            return len(buffer)
    return None


class RealTests(SynchronousTestCase):
    def test_facts(self) -> None:
        """What real clients say, at any cut."""
        www = "www.example.org"
        for name, facts in (
            ("http10-curl", ("GET", www, "/", "1.0")),
            ("http11-curl", ("GET", www, "/index.html", "1.1")),
            ("http11-curl-connect", ("CONNECT", www, "", "1.1")),
            ("http11-curl-post", ("POST", www, "/form", "1.1")),
            ("http11-curl-proxy", ("GET", www, "/path", "1.1")),
            ("http11-curl-upgrade", ("GET", www, "/", "1.1")),
            ("http11-python", ("GET", www, "/", "1.1")),
            ("http11-v6-host", ("GET", "::1", "/", "1.1")),
            ("http11-wget", ("GET", www, "/file.tar.gz", "1.1")),
        ):
            found = whole(HTTP[name])
            seen = (found.method, found.host, found.path, found.version)
            self.assertEqual(seen, facts, name)

    def test_fields(self) -> None:
        found = whole(OPENINGS["http11-curl-upgrade"])
        self.assertEqual(found.values("upgrade"), ["h2c"])
        self.assertEqual(found.values("none"), [])

    @given(st.sampled_from(sorted(HTTP)), st.sets(st.integers(1, 200)))
    def test_cuts(self, name: str, cuts: set[int]) -> None:
        data = HTTP[name]
        expected = repr(read(data))
        self.assertEqual(repr(read(data, [c for c in cuts if c < len(data)])), expected)

    def test_other_openings(self) -> None:
        """Each is refused at its first octet that no request has there."""
        known = {
            "h2-curl": len("PRI * HTTP/2"),
            "proxy-v1-haproxy": len("PROXY TCP4 1"),
            "smtp-ehlo": len("ehlo client.example.org\r"),
            "ssh-openssh": len("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r"),
            "ssh-paramiko": len("SSH-2.0-paramiko_5.1.0\r"),
        }
        for name in set(OPENINGS) - set(HTTP):
            at = known.get(name, 1)
            self.assertEqual(malformed_at(OPENINGS[name]), at, name)


class ProgressTests(SynchronousTestCase):
    def test_known_as_soon_as_it_can_be(self) -> None:
        """Each piece is there with the octet that ends it."""
        parser, buffer = RequestParser(), bytearray()
        seen: list[tuple[bytes, str]] = []
        found = parser.request
        for octet in request(b"GET /a?b HTTP/1.1", b"Host: x.y"):
            buffer.append(octet)
            parser.read(buffer)
            for name in ("method", "path", "version", "host", "complete"):
                if getattr(found, name) and name not in [one for _, one in seen]:
                    seen.append((bytes(buffer[-3:]), name))
        self.assertEqual(
            seen,
            [
                (b"ET ", "method"),
                (b"?b ", "path"),
                (b"1\r\n", "version"),
                (b"y\r\n", "host"),
                (b"\n\r\n", "complete"),
            ],
        )

    def test_the_line_alone(self) -> None:
        """Who asks for the line is not told of faults behind it."""
        parser, data = RequestParser(), bytearray(b"GET / HTTP/1.1\r\n \0")
        self.assertTrue(parser.read_line(data))
        self.assertEqual(parser.request.version, "1.1")
        self.assertRaises(Malformed, parser.read, data)

    def test_body_is_not_read(self) -> None:
        whole(request() + b"\0\0\r\nHost: a\r\n")

    def test_malformed_for_good(self) -> None:
        """Asked again, it says the same."""
        parser, data = RequestParser(), bytearray(b"\0")
        first = self.assertRaises(Malformed, parser.read, data)
        again = self.assertRaises(Malformed, parser.read, data)
        self.assertEqual(str(again), str(first))

    def test_no_cycle(self) -> None:
        """Whatever was read, it goes when the last reference goes."""
        gc.disable()
        self.addCleanup(gc.enable)
        for data in (b"", b"GET", b"GET / HTTP/1.1\r\n", b"G\0", request()):
            parser = RequestParser()
            with contextlib.suppress(Malformed):
                parser.read(bytearray(data))
            gone = weakref.ref(parser)
            del parser
            self.assertIsNone(gone(), data)


class LineTests(SynchronousTestCase):
    def test_line_ends(self) -> None:
        """CR LF, or LF alone."""
        found = whole(b"GET / HTTP/1.0\nHost: a\n\r\n")
        self.assertEqual((found.version, found.host), ("1.0", "a"))
        whole(b"GET / HTTP/1.0\n\n")

    def test_minor_versions(self) -> None:
        self.assertEqual(whole(request(b"GET / HTTP/1.9")).version, "1.9")

    def test_methods(self) -> None:
        """Any token."""
        for method in ("M-SEARCH", "get", "!#$%&'*+-.^_`|~09aZ"):
            found = whole(request(method.encode() + b" / HTTP/1.1"))
            self.assertEqual(found.method, method)

    def test_first_impossible_octet(self) -> None:
        for text in (
            *(b" ", b"\r", b"\n", b"\0", b"\x80", b"G(", b"GET\t", b"GET\r", b"GET\n"),
            *(b"GET  ", b"GET /\r", b"GET /\n", b"GET /\t", b"GET /\x7f", b"GET /\xc3"),
            *(b"GET / h", b"GET / HTTP/2", b"GET / HTTP/0", b"GET / HTTP/1,"),
            *(b"GET / HTTP/1.a", b"GET / HTTP/1.10", b"GET / HTTP/1.1 "),
            *(b"GET / HTTP/1.1\ra", b"GET / HTTP/1.1\r\r"),
        ):
            data = text + b" / HTTP/1.1\r\n\r\n"
            self.assertEqual(malformed_at(data), len(text), text)
            self.assertEqual(malformed_at(data, line=True), len(text), text)
            self.assertRaises(Malformed, read, data)

    def test_targets(self) -> None:
        """Host and path of all forms of RFC 9112, section 3.2."""
        for line, host, path in (
            (b"GET /a/b?c#d HTTP/1.1", "", "/a/b"),
            (b"GET /?a=/b HTTP/1.1", "", "/"),
            (b"GET /a#b?c HTTP/1.1", "", "/a"),
            (b"OPTIONS * HTTP/1.1", "", "*"),
            (b"GET http://A.b:80/c?d HTTP/1.1", "a.b", "/c"),
            (b"GET http://a.b HTTP/1.1", "a.b", "/"),
            (b"GET http://a.b?c HTTP/1.1", "a.b", "/"),
            (b"GET https://u:p@a.b:1/ HTTP/1.1", "a.b", "/"),
            (b"GET ws+x://[::1]:1/ HTTP/1.1", "::1", "/"),
            (b"GET //a.b/c HTTP/1.1", "", "//a.b/c"),
            (b"GET x HTTP/1.1", "", "x"),
            (b"CONNECT a.b:443 HTTP/1.1", "a.b", ""),
        ):
            found = whole(request(line))
            self.assertEqual((found.host, found.path), (host, path), line)
            self.assertEqual(found.target, line.split()[1].decode())

    def test_impossible_authority(self) -> None:
        for line in (b"CONNECT a:b:c ", b"GET http://a b/ ", b"GET http://a<b/ "):
            self.assertIsNotNone(malformed_at(line))


class FieldTests(SynchronousTestCase):
    def host(self, value: bytes) -> str | None:
        return whole(request(b"GET / HTTP/1.1", b"hOsT:" + value)).host

    def test_hosts(self) -> None:
        for value, host in (
            (b" a.example.org", "a.example.org"),
            (b"A.Example.ORG.:8080 \t", "a.example.org"),
            (b"a:", "a"),
            (b"", ""),
            (b" :80", ""),
            (b"192.0.2.1:80", "192.0.2.1"),
            (b"[2001:DB8::1]:80", "2001:db8::1"),
            (b"[fe80::1%25eth0]", "fe80::1%25eth0"),
            (b"under_score.x", "under_score.x"),
            (b"a%20b", "a%20b"),
        ):
            self.assertEqual(self.host(value), host, value)

    def test_impossible_hosts(self) -> None:
        for value in (
            b"a b",
            b"a/b",
            b"::1",
            b"[::1",
            b"a:b",
            b"u@a",
            b"\xc3\xbc",
            b"a,b\\",
        ):
            data = request(b"GET / HTTP/1.1", b"Host: " + value)
            self.assertRaises(Malformed, read, data)
            self.assertEqual(malformed_at(data), len(data) - 2, value)

    def test_two_hosts(self) -> None:
        """Whose request would it be?  Equal ones are two also."""
        data = request(b"GET / HTTP/1.1", b"Host: a", b"X: y", b"host: a")
        self.assertEqual(malformed_at(data), len(data) - 2)
        absolute = request(b"GET http://a/ HTTP/1.1", b"Host: a", b"Host: a")
        self.assertRaises(Malformed, read, absolute)

    def test_the_target_wins(self) -> None:
        """RFC 9112, section 3.2.2."""
        data = request(b"GET http://a/ HTTP/1.1", b"Host: b")
        self.assertEqual(whole(data).host, "a")

    def test_values(self) -> None:
        """Each field keeps its own; blanks around are no part of it."""
        found = whole(
            request(
                b"GET / HTTP/1.1", b"A: 1", b"b:", b"a:\t2 3 \t", b"c: \xc3\xa9\xff"
            )
        )
        self.assertEqual(found.values("a"), ["1", "2 3"])
        self.assertEqual(found.values("b"), [""])
        self.assertEqual(found.values("c"), ["é\udcff"])

    def test_first_impossible_octet(self) -> None:
        start = b"GET / HTTP/1.1\r\n"
        for text in (
            *(b" ", b"\t", b":", b"a ", b"a\r", b"a\n", b"\0", b"a\x80", b"\ra"),
            *(
                b"a: \0",
                b"a: b\rc",
                b"a: b\r\r",
                b"a: \x7f",
                b"a: b\r\n c",
                b"a: b\n\t",
            ),
            b"a: b\r\n\rx",
        ):
            at = len(start) + len(text) - (text[-1:] == b"c" and b"\n" in text)
            data = start + text + b"\r\n\r\n"
            self.assertEqual(malformed_at(data), at, text)
            self.assertRaises(Malformed, read, data)


class LimitTests(SynchronousTestCase):
    def test_the_most(self) -> None:
        """64 KiB, the empty line included; without an end it is too much before."""
        fixed = len(request(b"GET / HTTP/1.1", b"a:"))
        data = request(b"GET / HTTP/1.1", b"a:" + b"b" * (MOST - fixed))
        self.assertEqual(len(data), MOST)
        self.assertIsNotNone(read(data))
        self.assertIsNotNone(read(data, range(1, MOST, 77)))
        longer = request(b"GET / HTTP/1.1", b"a:" + b"b" * (MOST - fixed + 1))
        self.assertRaises(Malformed, read, longer)
        self.assertRaises(Malformed, read, longer, range(1, MOST, 77))

    def test_everywhere(self) -> None:
        """No part may be larger alone."""
        for start in (b"", b"GET /", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\na:"):
            data = start + b"a" * (MOST - len(start))
            self.assertIsNone(read(data[:-1]))
            self.assertRaises(Malformed, read, data)
            self.assertRaises(Malformed, read, data, [MOST - 1])
        fields = b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * (MOST // 5)
        self.assertRaises(Malformed, read, fields)


class NoiseTests(SynchronousTestCase):
    @given(noise([*HTTP.values(), request(b"GET / HTTP/1.1", b"Host: a", b"b:c")]))
    def test_any_octets(self, data: bytes) -> None:
        """They are read, incomplete or malformed; the cuts change nothing."""
        found = []
        for cuts in ((), range(1, len(data))):
            try:
                found.append(repr(read(data, cuts)))
            except Malformed:
                found.append("malformed")
        self.assertEqual(found[0], found[1])


class WorkTests(SynchronousTestCase):
    def cost(self, data: bytes) -> int:
        """@return: lines and octets, counted, to read this octet by octet."""
        parser, buffer = RequestParser(), CountingBuffer()

        def run() -> None:
            for octet in data:
                buffer.append(octet)
                parser.read(buffer)

        return steps(run) + buffer.octets

    def test_linear(self) -> None:
        """In every part of the head."""
        for start, unit in (
            (b"", b"a"),
            (b"GET /", b"a"),
            (b"GET / HTTP/1.1\r\n", b"a"),
            (b"GET / HTTP/1.1\r\n", b"a:b\r\n"),
            (b"GET / HTTP/1.1\r\na:", b"b"),
        ):
            small, big = start + unit * 4000, start + unit * 8000
            self.assertLessEqual(self.cost(big), 2.2 * self.cost(small), start)
            self.assertLessEqual(self.cost(big), 100 * len(big), start)
