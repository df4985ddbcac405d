"""Tests for L{portmux.core.parse.helloextensions}."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.parse.helloextensions import alpn, server_name, versions
from portmux.errors import Malformed


def sized(body: bytes, octets: int = 2) -> bytes:
    """@return: C{body} behind its size."""
    return len(body).to_bytes(octets, "big") + body


def names(*entries: bytes, kind: int = 0) -> bytes:
    """@return: the body of a server_name extension."""
    return sized(b"".join(bytes([kind]) + sized(entry) for entry in entries))


class ServerNameTests(SynchronousTestCase):
    def test_a_name(self) -> None:
        """In lower case, without the dot at its end."""
        for given_name, found in (
            (b"www.example.org", "www.example.org"),
            (b"WWW.Example.ORG.", "www.example.org"),
            (b"_acme-challenge.x--y.org", "_acme-challenge.x--y.org"),
            (b"xn--bcher-kva.example", "xn--bcher-kva.example"),
            (b"localhost", "localhost"),
            (b"192.0.2.1", "192.0.2.1"),
            (b"2001:DB8::1", "2001:db8::1"),
            (b"a" * 255, "a" * 255),
        ):
            self.assertEqual(server_name(names(given_name)), found)

    def test_impossible_names(self) -> None:
        for name in (
            *(b"", b".", b"a b", b"a\0b", b"a\n", b"b\xc3\xbccher.de", b"*.x", b"a/b"),
            *(b"a:b", b"[::1]", b"::1\n", b"a" * 256),
        ):
            self.assertRaises(Malformed, server_name, names(name))

    def test_other_types(self) -> None:
        """A list may name the server in ways that we do not know."""
        self.assertEqual(server_name(names(b"\xff\xff", kind=7)), "")
        both = sized(b"\x07" + sized(b"?") + b"\0" + sized(b"a.b"))
        self.assertEqual(server_name(both), "a.b")

    def test_two_names(self) -> None:
        self.assertRaises(Malformed, server_name, names(b"a", b"b"))

    def test_sizes(self) -> None:
        """The list ends where the extension ends, a name within the list."""
        good = names(b"ab")
        bad = [
            good[:-1],
            good + b"\0",
            sized(b""),
            b"",
            b"\0",
            sized(b"\0"),
            sized(b"\0\0"),
            sized(b"\0\0\3ab"),
            sized(b"\0" + sized(b"ab") + b"\0"),
        ]
        for body in bad:
            self.assertRaises(Malformed, server_name, body)


class AlpnTests(SynchronousTestCase):
    def test_in_order(self) -> None:
        body = sized(sized(b"h2", 1) + sized(b"http/1.1", 1))
        self.assertEqual(alpn(body), ("h2", "http/1.1"))

    def test_any_octets(self) -> None:
        """A protocol is no text: RFC 8701 sends octets beyond ASCII."""
        self.assertEqual(alpn(sized(sized(b"\xfa\xfa", 1))), ("\udcfa\udcfa",))

    def test_sizes(self) -> None:
        good = sized(sized(b"h2", 1))
        bad = [good[:-1], good + b"\0", sized(b""), b"", b"\0", sized(b"\0")]
        for body in (*bad, sized(b"\3h2"), sized(b"\2h2\0")):
            self.assertRaises(Malformed, alpn, body)


class VersionsTests(SynchronousTestCase):
    def test_without_grease(self) -> None:
        body = sized(b"\xaa\xaa\x03\x04\x03\x03\x0a\x0a", 1)
        self.assertEqual(versions(body), (0x0304, 0x0303))

    def test_almost_grease(self) -> None:
        """Both octets must be alike and end with A: RFC 8701."""
        self.assertEqual(versions(sized(b"\x0a\x1a\x7f\x7f", 1)), (0x0A1A, 0x7F7F))

    def test_sizes(self) -> None:
        for body in (b"", b"\0", b"\2\3", b"\1\3", b"\3\3\4\3", b"\2\3\4\0"):
            self.assertRaises(Malformed, versions, body)


class NoiseTests(SynchronousTestCase):
    @given(st.sampled_from([server_name, alpn, versions]), st.binary(max_size=40))
    def test_any_octets(self, read: Callable[[bytes], object], body: bytes) -> None:
        """They are read or malformed; no other exception escapes."""
        with contextlib.suppress(Malformed):
            read(body)
