"""Tests for L{portmux.core.match.prefix}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import prefix
from portmux.core.match.prefix import Prefix
from portmux.core.registry import Registry
from portmux.testing import (
    assert_every_cut,
    head_of,
    noise,
    recognised,
    trickle,
    verdicts,
)
from tests.openings import OPENINGS, named

NO, MORE, YES = Verdict.NO, Verdict.MORE, Verdict.YES

EXAMPLES = (
    Prefix((b"\0", b"SSH-", b"GET ")),
    Prefix((b"GET " + b"a" * 99, b"\x16\3\1")),
)


class PrefixTests(SynchronousTestCase):
    def test_first_contradiction(self) -> None:
        """NO comes with the first octet that no pattern has there."""
        matcher = Prefix((b"GET ", b"GEO"))
        self.assertEqual(verdicts(matcher, b"GEX"), [MORE, MORE, MORE, NO])
        self.assertEqual(verdicts(matcher, b"GEOX"), [MORE, MORE, MORE, YES, YES])
        self.assertEqual(verdicts(matcher, b"GET "), [*[MORE] * 4, YES])

    def test_the_empty_pattern(self) -> None:
        """It needs one byte, any one."""
        matcher = Prefix((b"",))
        self.assertEqual(verdicts(matcher, b"\0\0"), [MORE, YES, YES])
        self.assertEqual(matcher.first(), frozenset(range(256)))

    def test_no_pattern(self) -> None:
        fault = self.assertRaises(ValueError, Prefix, ())
        self.assertIn("at least one is needed", str(fault))

    def test_first(self) -> None:
        self.assertEqual(Prefix((b"ab", b"ac", b"\0")).first(), frozenset(b"a\0"))

    def test_openings(self) -> None:
        """What the common patterns of people's files mean."""
        for patterns, names in (
            ((b"\x16\3",), named("tls")),
            ((b"SSH-",), named("ssh")),
            ((b"\x00\x0e\x38",), named("openvpn")),
            ((b"GET ", b"POST ", b"CONNECT "), named("http1")),
        ):
            self.assertEqual(recognised(Prefix(patterns), OPENINGS), names)

    @given(
        st.lists(st.text("ab", max_size=5), min_size=1, max_size=4),
        st.text("ab", max_size=7),
        st.sampled_from([b"", b"x" * 100]),
    )
    def test_any(self, patterns: list[str], text: str, before: bytes) -> None:
        """Short and long patterns say the same, at any cut."""
        matcher = Prefix(tuple(before + one.encode() for one in patterns))
        data = before + text.encode()
        found = assert_every_cut(matcher, data)
        matches = bool(data) and data.startswith(matcher.patterns)
        self.assertEqual(found is YES, matches)

    @given(noise([b"GET / HTTP", b"x" * 70]))
    def test_noise(self, data: bytes) -> None:
        assert_every_cut(Prefix((b"GET /", b"G", b"x" * 70)), data)

    def test_two_long_ones_on_one_connection(self) -> None:
        """Each keeps its own place."""
        one, other, head = Prefix((b"a" * 99,)), Prefix((b"a" * 98 + b"b",)), head_of()
        for size in range(1, 100):
            head.data += b"a"
            found = one.match(head), other.match(head)
            self.assertEqual(
                found, (YES if size == 99 else MORE, NO if size == 99 else MORE)
            )

    def test_work(self) -> None:
        """64 KiB octet by octet, against patterns that agree for long."""
        sizes = (1 << 15, 1 << 16)
        costs = [
            trickle(
                Prefix((b"a" * size, b"a" * (size - 9) + b"b", b"a" * 99 + b"b")),
                b"a" * size,
            )
            for size in sizes
        ]
        self.assertLessEqual(costs[1], 2.2 * costs[0])
        self.assertLessEqual(costs[1], 100 * sizes[1])


class WhyTests(SynchronousTestCase):
    def test_the_pattern(self) -> None:
        """The one that is complete first, whatever the segments; then in order."""
        matcher = Prefix((b"GET", b"GE", b"GE"))
        for data in (b"GE", b"GET / "):
            why = matcher.why(head_of(data))
            self.assertEqual((why.text, why.pattern), ("starts with GE", 1))

    def test_long_patterns(self) -> None:
        why = Prefix((b"b" * 99, b"a" * 99)).why(head_of(b"a" * 100))
        self.assertEqual(why.pattern, 1)

    def test_undecided(self) -> None:
        why = Prefix((b"GET",)).why(head_of(b"GE"))
        self.assertEqual(why.text, "2 octets agree, more are needed")

    def test_no(self) -> None:
        """Octets of the peer cannot forge anything."""
        why = Prefix((b"GET",)).why(head_of(b'G\n"x'))
        self.assertEqual(why.text, r"no pattern starts like G\x0a\x22")
        self.assertIsNone(why.pattern)


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        prefix.register(registry)
        self.assertEqual(registry.matchers, {"prefix": Prefix})
