"""Tests for L{portmux.core.parse.clienthello}."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.parse.clienthello import (
    LEAST,
    MOST,
    ClientHello,
    ClientHelloParser,
    announced,
)
from portmux.errors import Malformed
from portmux.testing import CountingBuffer, noise, steps
from tests.openings import OPENINGS, named

TLS = {name: OPENINGS[name] for name in named("tls")}
GIT = OPENINGS["tls13-openssl"]


def sized(body: bytes, octets: int = 2) -> bytes:
    """@return: C{body} behind its size."""
    return len(body).to_bytes(octets, "big") + body


def extension(kind: int, body: bytes = b"") -> bytes:
    return kind.to_bytes(2, "big") + sized(body)


def name_extension(name: bytes) -> bytes:
    return extension(0, sized(b"\0" + sized(name)))


@attrs.frozen
class Hello:
    """A ClientHello to be, piece by piece."""

    version: bytes = b"\3\3"
    session: bytes = b"\0"
    ciphers: bytes = b"\0\2\x13\1"
    compression: bytes = b"\1\0"
    extensions: bytes | None = None

    @property
    def message(self) -> bytes:
        tail = b"" if self.extensions is None else sized(self.extensions)
        body = self.version + bytes(32) + self.session
        return b"\1" + sized(body + self.ciphers + self.compression + tail, 3)

    @property
    def octets(self) -> bytes:
        return records(self.message)


def records(message: bytes, size: int = 1 << 14, version: bytes = b"\3\1") -> bytes:
    """@return: the message in records of this size."""
    pieces = (message[at : at + size] for at in range(0, len(message), size))
    return b"".join(b"\x16" + version + sized(piece) for piece in pieces)


def message_in(data: bytes) -> bytes:
    """@return: the message in an opening, which is one record."""
    assert 5 + int.from_bytes(data[3:5], "big") == len(data)
    return data[5:]


def read(data: bytes, cuts: Iterable[int] = ()) -> ClientHello | None:
    """@return: what a parser makes of the bytes when they come in segments."""
    parser, buffer = ClientHelloParser(), bytearray()
    hello = None
    for end in (*sorted(cuts), len(data)):
        buffer += data[len(buffer) : end]
        hello = parser.read(buffer)
    return hello


def malformed_at(data: bytes) -> int | None:
    """@return: how many octets show that this is no ClientHello; None: it may be."""
    parser, buffer = ClientHelloParser(), bytearray()
    for octet in data:
        buffer.append(octet)
        try:
            parser.read(buffer)
        except Malformed:
            return len(buffer)
    return None


class RealTests(SynchronousTestCase):
    """What real clients say, at any cut."""

    def test_facts(self) -> None:
        both, tls13 = ("h2", "http/1.1"), (0x0304, 0x0303)
        down = (*tls13, 0x0302, 0x0301)
        for name, expected in (
            ("tls10-openssl", ClientHello("old.example.org", (), (0x0301,))),
            ("tls12-openssl", ClientHello("git.example.org", (), (0x0303,))),
            (
                "tls12-openssl-nameless-alpn",
                ClientHello("", ("http/1.1",), (0x0303,)),
            ),
            ("tls13-openssl", ClientHello("git.example.org", both, down)),
            ("tls13-openssl-nameless", ClientHello("", (), down)),
            ("tls13-openssl4-mlkem", ClientHello("pq.example.org", (), tls13)),
            ("tls13-go-mlkem", ClientHello("go.example.org", both, tls13)),
            ("tls13-chrome", ClientHello("www.example.org", both, tls13)),
            ("tls13-firefox", ClientHello("www.example.org", both, tls13)),
            ("tls13-java", ClientHello("java.example.org", (), tls13)),
            ("tls13-node", ClientHello("node.example.org", both, tls13)),
            ("tls13-safari", ClientHello("www.example.org", both, tls13)),
            ("tls13-curl", ClientHello("www.example.org", both, down)),
        ):
            self.assertEqual(read(OPENINGS[name]), expected, name)

    def test_post_quantum(self) -> None:
        """A key share of ML-KEM-768 alone has 1184 octets."""
        large = [name for name, data in TLS.items() if len(data) > 1184]
        self.assertGreaterEqual(len(large), 5)
        for name in large:
            self.assertIsNotNone(read(TLS[name]), name)

    def test_grease(self) -> None:
        """Chrome's opening has it, or the tests above show nothing about it."""
        self.assertRegex(TLS["tls13-chrome"], rb"(?s)\x00\x2b..\x06([\x0a-\xfa])\1\x03")

    def test_every_octet_alone(self) -> None:
        """Only the last octet completes a hello."""
        for name, data in TLS.items():
            parser, buffer, expected = ClientHelloParser(), bytearray(), read(data)
            for octet in data[:-1]:
                buffer.append(octet)
                self.assertIsNone(parser.read(buffer), name)
            buffer.append(data[-1])
            self.assertEqual(parser.read(buffer), expected, name)

    @given(
        st.sampled_from(sorted(TLS)),
        st.sampled_from([1, 2, 3, 4, 5, 100, 1000]),
        st.sampled_from([b"\3\0", b"\3\1", b"\3\3", b"\3\4"]),
        st.sets(st.integers(1, 4000), max_size=5),
    )
    def test_records(
        self, name: str, size: int, version: bytes, cuts: set[int]
    ) -> None:
        """Over any number of records, cut anywhere."""
        data = records(message_in(TLS[name]), size, version)
        self.assertEqual(read(data, cuts), read(TLS[name]))

    def test_what_follows(self) -> None:
        """A hello is complete whatever comes behind it, in its record or in others."""
        expected = read(GIT)
        for data in (
            GIT + b"\x17\3\3\0\1\0",
            GIT + b"anything",
            records(message_in(GIT) + b"\2\0\0\0"),
        ):
            self.assertEqual(read(data), expected)
            self.assertEqual(read(data, range(1, len(data))), expected)


class MadeTests(SynchronousTestCase):
    def test_the_least(self) -> None:
        """Without extensions the version in the hello is the only one."""
        self.assertEqual(len(Hello().message), 4 + LEAST)
        self.assertEqual(read(Hello().octets), ClientHello("", (), (0x0303,)))
        old = Hello(version=b"\3\1", extensions=b"")
        self.assertEqual(read(old.octets), ClientHello("", (), (0x0301,)))

    def test_only_grease_versions(self) -> None:
        hello = Hello(extensions=extension(43, b"\2\xaa\xaa"))
        self.assertEqual(read(hello.octets), ClientHello("", (), ()))

    def test_the_most(self) -> None:
        """64 KiB of message, and an octet more is refused when it is announced."""
        padding = MOST - LEAST - 2 - 4 - 4
        hello = Hello(extensions=extension(21, bytes(padding)) + extension(22))
        self.assertEqual(len(hello.message), 4 + MOST)
        self.assertEqual(read(hello.octets), ClientHello("", (), (0x0303,)))
        self.assertEqual(malformed_at(records(b"\1\1\0\1" + bytes(100))), 9)
        self.assertEqual(malformed_at(records(b"\1\xff\xff\xff" + bytes(100))), 9)

    def test_too_small(self) -> None:
        size = (LEAST - 1).to_bytes(3, "big")
        self.assertEqual(malformed_at(records(b"\1" + size + bytes(100))), 9)


class MalformedTests(SynchronousTestCase):
    """The first impossible octet is enough, but inside of extensions their last."""

    def test_other_openings(self) -> None:
        for name in set(OPENINGS) - set(TLS):
            self.assertEqual(malformed_at(OPENINGS[name]), 1, name)

    def test_record_headers(self) -> None:
        good = bytearray(GIT)
        for at, octet in (
            (0, 0x15),
            (0, 0x17),
            (0, 0x80),
            (1, 2),
            (1, 0xFE),
            (2, 5),
            (2, 0xFF),
        ):
            bad = good.copy()
            bad[at] = octet
            self.assertEqual(malformed_at(bytes(bad)), at + 1)

    def test_record_sizes(self) -> None:
        """Empty ones, and such of more than 2**14 octets."""
        self.assertEqual(malformed_at(b"\x16\3\1\0\0"), 5)
        self.assertEqual(malformed_at(b"\x16\3\1\x40\1"), 5)
        self.assertIsNone(malformed_at(b"\x16\3\1\x40\0"))

    def test_records_between(self) -> None:
        """RFC 8446, section 5.1: nothing may come between those of one message."""
        part = records(message_in(GIT)[:50])
        for between in (b"\x14\3\3\0\1\1", b"\x17\3\3\0\1\0", b"\x16\3\3\0\0"):
            self.assertEqual(read(part), None)
            end = len(part) + (5 if between[0] == 0x16 else 1)
            self.assertEqual(malformed_at(part + between), end)

    def test_another_message(self) -> None:
        for kind in (0, 2, 22):
            self.assertEqual(malformed_at(records(bytes([kind, 0, 0, 60]))), 6)

    def test_version(self) -> None:
        self.assertEqual(malformed_at(Hello(version=b"\2\0").octets), 5 + 4 + 1)

    def test_parameters(self) -> None:
        """Sizes that cannot be are found at their last octet."""
        start = 5 + 4 + 2 + 32
        padding = extension(21, bytes(80))
        for hello, at in (
            (Hello(session=b"\x21" + bytes(33)), start + 1),
            (Hello(session=b"\x20"), start + 1),
            (Hello(session=b"\1"), start + 1),
            (Hello(ciphers=b"\0\0"), None),
            (Hello(ciphers=b"\0\0", extensions=padding), start + 3),
            (Hello(ciphers=b"\0\3\1\2\3"), start + 3),
            (Hello(ciphers=b"\0\4\1\2"), start + 3),
            (Hello(compression=b"\0", extensions=padding), start + 1 + 4 + 1),
            (Hello(compression=b"\2\0"), start + 1 + 4 + 1),
        ):
            where = 5 + 4 if at is None else at
            self.assertEqual(malformed_at(hello.octets), where, hello)

    def test_sizes_of_extensions(self) -> None:
        start = 5 + 4 + LEAST
        whole = extension(21, b"ab")
        for extensions, at in (
            (whole, None),
            (whole + b"\0", start + 2 + 4),
            (whole + b"\0\1\0", start + 2 + 4),
            (b"\0\x15\0\3ab", start + 2 + 4),
        ):
            hello = Hello(extensions=extensions)
            self.assertEqual(malformed_at(hello.octets), at, extensions)
        for tail in (b"\0", b"\0\1", b"\0\0\0", b"\0\7" + whole, b"\0\5" + whole):
            data = Hello(compression=b"\1\0" + tail).octets
            at = start - 1 if len(tail) == 1 else start + 2
            self.assertEqual(malformed_at(data), at, tail)

    def test_twice(self) -> None:
        """No extension may come twice, not even an unknown or a GREASE one."""
        for kind in (21, 0x0A0A):
            data = Hello(extensions=extension(kind) * 2).octets
            self.assertEqual(malformed_at(data), len(data))

    def test_inside_of_extensions(self) -> None:
        """What they say must be possible; see the tests of their own module."""
        for body in (
            name_extension(b"a b"),
            name_extension(b""),
            extension(0),
            extension(16, b"\0\0"),
            extension(43, b"\0"),
        ):
            data = Hello(extensions=body + extension(21, bytes(9))).octets
            self.assertEqual(malformed_at(data), len(data) - 13, body)

    @given(noise([*TLS.values(), Hello().octets, records(message_in(GIT), 7)]))
    def test_noise(self, data: bytes) -> None:
        """It is read, incomplete or malformed; the cuts change nothing."""
        found: list[object] = []
        for cuts in ((), range(1, len(data))):
            try:
                found.append(read(data, cuts))
            except Malformed:
                found.append(Malformed)
        self.assertEqual(found[0], found[1])


class AnnouncedTests(SynchronousTestCase):
    def test_size(self) -> None:
        """Nine octets of a record tell it, or more of small ones."""
        for size, needed in ((1, 4 * 6), (3, 5 + 3 + 5 + 1), (4, 9), (5, 9)):
            data = bytearray(records(message_in(GIT), size))
            self.assertIsNone(announced(data[: needed - 1]))
            self.assertEqual(announced(data[:needed]), len(message_in(GIT)) - 4)
            self.assertEqual(announced(data), len(message_in(GIT)) - 4)

    @given(noise(TLS.values()))
    def test_as_the_parser(self, data: bytes) -> None:
        """What it refuses, the parser refuses."""
        try:
            announced(bytearray(data))
        except Malformed:
            self.assertRaises(Malformed, read, data)

    def test_looks_at_little(self) -> None:
        buffer = CountingBuffer(records(message_in(GIT), 1))
        announced(buffer)
        self.assertLess(buffer.octets, 40)


class WorkTests(SynchronousTestCase):
    """Counted, not timed."""

    def cost(self, data: bytes) -> int:
        parser, buffer = ClientHelloParser(), CountingBuffer()

        def run() -> None:
            for octet in data:
                buffer.append(octet)
                parser.read(buffer)

        return steps(run) + buffer.octets

    def large(self, octets: int) -> bytes:
        """@return: a message without its end."""
        hello = Hello(extensions=extension(21, bytes(60_000)))
        return hello.message[:octets]

    def test_octet_by_octet(self) -> None:
        small, big = self.large(10_000), self.large(20_000)
        self.assertLessEqual(self.cost(records(big)), 2.2 * self.cost(records(small)))

    def test_records_of_one_octet(self) -> None:
        """19 KB of them, octet by octet, once took 16 s."""
        small, big = records(self.large(1600), 1), records(self.large(3200), 1)
        self.assertGreater(len(big), 19_000)
        self.assertLessEqual(self.cost(big), 2.2 * self.cost(small))

    def test_many_extensions(self) -> None:
        """Thousands of empty ones."""

        def hello(count: int) -> bytes:
            kinds = range(100, 100 + count)
            return Hello(extensions=b"".join(map(extension, kinds))).octets[:-1]

        self.assertLessEqual(self.cost(hello(4000)), 2.2 * self.cost(hello(2000)))
