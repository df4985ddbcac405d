"""Tests for L{portmux.core.match.regex}."""

from __future__ import annotations

import re

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import regex
from portmux.core.match.regex import Regex
from portmux.core.registry import Registry
from portmux.testing import (
    assert_every_cut,
    head_of,
    noise,
    recognised,
    trickle,
    verdict_of,
    verdicts,
)
from tests.openings import OPENINGS, named

NO, MORE, YES = Verdict.NO, Verdict.MORE, Verdict.YES

EXAMPLES = (Regex((r"(?s)\x00.{5}", "(GET|POST) ")), Regex(("(?s).{70}a",)))


class RegexTests(SynchronousTestCase):
    def test_a_beginning(self) -> None:
        """YES when a beginning of the bytes fits, NO when none can any more."""
        matcher = Regex(("(GET|POST) /git/",))
        self.assertEqual(verdicts(matcher, b"GET /git/x"), [*[MORE] * 9, YES, YES])
        self.assertEqual(verdicts(matcher, b"GET /x"), [*[MORE] * 6, NO])

    def test_any_pattern(self) -> None:
        self.assertEqual(verdicts(Regex(("ab", "ac")), b"ac"), [MORE, MORE, YES])

    def test_a_byte_is_needed(self) -> None:
        """Also by what fits no octets at all; then any will do."""
        for pattern in ("", "a*", "^"):
            matcher = Regex((pattern,))
            self.assertEqual(verdicts(matcher, b"xy"), [MORE, YES, YES])
            self.assertEqual(matcher.first(), frozenset(range(256)))

    def test_no_end(self) -> None:
        """Behind C{$} nothing matches: the cuts would decide."""
        self.assertEqual(verdicts(Regex(("ab$|abc",)), b"abc")[2:], [MORE, YES])
        self.assertEqual(verdicts(Regex(("ab$",)), b"ab"), [MORE, NO, NO])

    def test_first(self) -> None:
        matcher = Regex(("(?i)get", r"\x00."))
        self.assertEqual(matcher.first(), frozenset(b"gG\0"))

    def test_faults(self) -> None:
        self.assertRaises(ValueError, Regex, ())
        fault = self.assertRaises(ValueError, Regex, ("a", "b)"))
        self.assertIn("'b)': there is no '(' for this ')'", str(fault))

    def test_openings(self) -> None:
        for pattern, names in (
            (r"\x16\x03[\x00-\x04]", named("tls")),
            (r"SSH-[12]\.", named("ssh")),
            (r"[A-Z]+ [^ ]+ HTTP/1\.[01]\r?\n", named("http1")),
            (r"(?s).{4}\x04\xd2\x16\x2f", named("postgres-ssl")),
            (r"(?is).*host: www\.", named("http1") - named("http11-v6")),
        ):
            self.assertEqual(recognised(Regex((pattern,)), OPENINGS), names)

    @given(noise(OPENINGS.values()))
    def test_noise(self, data: bytes) -> None:
        """As Python's own say on all of it, at any cut."""
        pattern = r"(?s)(.{3}|[A-Z]+ ).*(\x03|/).{60}"
        found = assert_every_cut(Regex((pattern,)), data[:300])
        expected = re.match(pattern.encode(), data[:300]) is not None
        self.assertEqual(found is YES, expected)

    def test_hostile(self) -> None:
        """C{(a+)+$} and the like hold nobody up."""
        for pattern in ("(a+)+$", "(a+)+b", "(a|a)*b", "(a?){30}a{30}b"):
            verdict = verdict_of(Regex((pattern,)), b"a" * 60_000 + b"!")
            self.assertIs(verdict, NO)

    def test_work(self) -> None:
        """64 KiB octet by octet."""
        sizes = (1 << 15, 1 << 16)
        costs = [trickle(Regex(("(a+)+b",)), b"a" * size) for size in sizes]
        self.assertLessEqual(costs[1], 2.2 * costs[0])
        self.assertLessEqual(costs[1], 300 * sizes[1])


class WhyTests(SynchronousTestCase):
    def test_the_pattern(self) -> None:
        why = Regex(("GET", "GE", "G[E]")).why(head_of(b"GET"))
        self.assertEqual((why.text, why.pattern), ("matches GE", 1))

    def test_not_yet(self) -> None:
        why = Regex(("GET",)).why(head_of(b"GE"))
        self.assertEqual(why.text, "2 octets agree, more are needed")

    def test_no(self) -> None:
        why = Regex(("GET",)).why(head_of(b"\n"))
        self.assertEqual(why.text, r"nothing that starts with \x0a can match")

    def test_never(self) -> None:
        """Whoever writes C{$} is told why it never matches."""
        why = Regex(("GET$",)).why(head_of(b"GET"))
        self.assertIn("no stream shows the end that $ wants", why.text)

    def test_long(self) -> None:
        why = Regex(("a{100}", "a{99}")).why(head_of(b"a" * 200))
        self.assertEqual(why.pattern, 1)


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        regex.register(registry)
        self.assertEqual(registry.matchers, {"regex": Regex})
