"""Tests for L{portmux.core.match.negation}."""

from __future__ import annotations

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import negation
from portmux.core.match.always import Always
from portmux.core.match.http import Http
from portmux.core.match.negation import Not
from portmux.core.match.prefix import Prefix
from portmux.core.match.tls import Tls
from portmux.core.registry import Registry
from portmux.testing import assert_every_cut, head_of, noise, verdict_of, verdicts
from tests.openings import OPENINGS

NO, MORE, YES = Verdict.NO, Verdict.MORE, Verdict.YES

EXAMPLES = (Not(Tls(alpn=("h2",))), Not(Always()))


class NotTests(SynchronousTestCase):
    def test_the_opposite(self) -> None:
        self.assertEqual(verdicts(Not(Prefix((b"ab",))), b"ab"), [MORE, MORE, NO])
        self.assertEqual(verdicts(Not(Prefix((b"ab",))), b"ax"), [MORE, MORE, YES])
        self.assertEqual(verdicts(Not(Always()), b""), [NO])

    def test_malformed_bytes_are_a_no(self) -> None:
        """What cannot be HTTP is certainly not HTTP."""
        self.assertIs(verdict_of(Not(Http()), b"\0"), YES)

    def test_first(self) -> None:
        """Any octet will do; but none is needed where the other needs none."""
        self.assertEqual(Not(Prefix((b"a",))).first(), frozenset(range(256)))
        self.assertIsNone(Not(Always()).first())
        self.assertIsNone(Not(Not(Always())).first())

    @given(noise(OPENINGS.values()))
    def test_noise(self, data: bytes) -> None:
        assert_every_cut(Not(Http()), data[:300])

    def test_why(self) -> None:
        """The other's facts are facts all the same."""
        data = b"GET / HTTP/1.1\r\n"
        why = Not(Http()).why(head_of(data))
        self.assertEqual(why.text, "not so: the request line is whole")
        self.assertEqual(why.facts, Http().why(head_of(data)).facts)

    def test_registered(self) -> None:
        registry = Registry()
        negation.register(registry)
        self.assertEqual(registry.matchers, {"not": Not})
