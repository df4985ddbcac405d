"""Tests for L{portmux.core.match.any_of}."""

from __future__ import annotations

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import any_of
from portmux.core.match.always import Always
from portmux.core.match.any_of import AnyOf
from portmux.core.match.http import Http
from portmux.core.match.negation import Not
from portmux.core.match.prefix import Prefix
from portmux.core.match.ssh import Ssh
from portmux.core.match.tls import Tls
from portmux.core.pattern import Pattern
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
NEVER = Not(Always())
GET, GE = Prefix((b"GET",)), Prefix((b"GE",))

EXAMPLES = (AnyOf((Ssh(), Tls())), AnyOf((GET, Http(host=(Pattern("www*"),)))))


class AnyOfTests(SynchronousTestCase):
    def test_three_values(self) -> None:
        """YES wins over MORE, MORE over NO."""
        self.assertEqual(verdicts(AnyOf((NEVER, GE)), b"GE"), [MORE, MORE, YES])
        self.assertEqual(verdicts(AnyOf((GE, Always())), b"G"), [YES, YES])
        self.assertEqual(verdicts(AnyOf((GET, GE)), b"GE"), [MORE, MORE, YES])
        self.assertEqual(verdicts(AnyOf((GET, GE)), b"X"), [MORE, NO])
        self.assertEqual(verdicts(AnyOf((NEVER,)), b""), [NO])

    def test_malformed_bytes_are_a_no(self) -> None:
        self.assertEqual(verdicts(AnyOf((Http(), Tls())), b"\0"), [MORE, NO])

    def test_first(self) -> None:
        """What any part allows; nothing is promised when one needs no bytes."""
        self.assertEqual(AnyOf((GET, Tls())).first(), frozenset(b"G\x16"))
        self.assertIsNone(AnyOf((Always(), GET)).first())
        self.assertIsNone(AnyOf((NEVER, GET)).first())

    def test_none(self) -> None:
        fault = self.assertRaises(ValueError, AnyOf, ())
        self.assertIn("at least one is needed", str(fault))

    def test_openings(self) -> None:
        found = recognised(AnyOf((Tls(), Ssh())), OPENINGS)
        self.assertEqual(found, named("tls", "ssh"))

    @given(noise(OPENINGS.values()))
    def test_noise(self, data: bytes) -> None:
        assert_every_cut(AnyOf((Tls(), Not(Http()), GET)), data[:200])

    def test_decided_parts_are_not_asked_again(self) -> None:
        """A long path is compared once, whatever another part waits for."""
        line = b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n"
        path = Http(path=(Pattern(regex="/(a+)+b"),))
        costs = []
        for size in (4000, 8000):
            matcher = AnyOf((path, Prefix((line + b"b" * size,))))
            costs.append(trickle(matcher, line + b"b" * size))
        self.assertLessEqual(costs[1], 2.2 * costs[0])


class WhyTests(SynchronousTestCase):
    def test_yes(self) -> None:
        """The part that matches is the reason, and its place the index."""
        why = AnyOf((Tls(), GE, GET)).why(head_of(b"GET"))
        self.assertEqual((why.text, why.pattern), ("starts with GE", 1))

    def test_more(self) -> None:
        why = AnyOf((Tls(), GET)).why(head_of(b"GE"))
        self.assertEqual(
            (why.text, why.pattern), ("2 octets agree, more are needed", 1)
        )

    def test_no(self) -> None:
        why = AnyOf((GET, GE)).why(head_of(b"X"))
        self.assertEqual(why.text, "no pattern starts like X; no pattern starts like X")


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        any_of.register(registry)
        self.assertEqual(registry.matchers, {"any": AnyOf})
