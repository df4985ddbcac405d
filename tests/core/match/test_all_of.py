"""Tests for L{portmux.core.match.all_of}."""

from __future__ import annotations

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import all_of
from portmux.core.match.all_of import All
from portmux.core.match.always import Always
from portmux.core.match.http import Http
from portmux.core.match.negation import Not
from portmux.core.match.prefix import Prefix
from portmux.core.match.regex import Regex
from portmux.core.match.source import Source
from portmux.core.match.tls import Tls
from portmux.core.network import Network
from portmux.core.pattern import Pattern
from portmux.core.registry import Registry
from portmux.testing import assert_every_cut, head_of, noise, trickle, verdicts
from tests.openings import OPENINGS

NO, MORE, YES = Verdict.NO, Verdict.MORE, Verdict.YES
NEVER = Not(Always())
GET, GE = Prefix((b"GET",)), Prefix((b"GE",))

EXAMPLES = (
    All((Http(), Prefix((b"GET",)))),
    All((Not(Tls()), Source((Network("192.0.2.0/24"),)))),
)


class AllTests(SynchronousTestCase):
    def test_three_values(self) -> None:
        """NO wins over MORE, MORE over YES."""
        self.assertEqual(verdicts(All((Always(), GE)), b"GE"), [MORE, MORE, YES])
        self.assertEqual(verdicts(All((GE, NEVER)), b"G"), [NO, NO])
        self.assertEqual(verdicts(All((GET, GE)), b"GET"), [MORE, MORE, MORE, YES])
        self.assertEqual(verdicts(All((GET, GE)), b"GEX"), [MORE, MORE, MORE, NO])
        self.assertEqual(verdicts(All((Always(), Always())), b""), [YES])

    def test_malformed_bytes_are_a_no(self) -> None:
        self.assertEqual(verdicts(All((Always(), Http())), b"\0"), [MORE, NO])

    def test_first(self) -> None:
        """What all parts allow; nothing is promised when one needs no bytes."""
        self.assertEqual(All((Http(), Prefix((b"G", b"\0")))).first(), frozenset(b"G"))
        self.assertEqual(All((Tls(), Http())).first(), frozenset())
        self.assertIsNone(All((Always(), GET)).first())
        self.assertIsNone(All((NEVER, GET)).first())

    def test_none(self) -> None:
        fault = self.assertRaises(ValueError, All, ())
        self.assertIn("at least one is needed", str(fault))

    @given(noise(OPENINGS.values()))
    def test_noise(self, data: bytes) -> None:
        matcher = All((Not(Tls()), Regex(("(?s).{9}",)), All((Not(GET), Always()))))
        assert_every_cut(matcher, data[:200])

    def test_decided_parts_are_not_asked_again(self) -> None:
        """A long path is compared once, whatever another part waits for."""
        line = b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n"
        path = Http(path=(Pattern(regex="/(a+)+"),))
        costs = []
        for size in (4000, 8000):
            matcher = All((path, Prefix((line + b"b" * size,))))
            costs.append(trickle(matcher, line + b"b" * size))
        self.assertLessEqual(costs[1], 2.2 * costs[0])

    def test_several_connections(self) -> None:
        """What one has decided is not what another has."""
        matcher, heads = All((GET, GE)), [head_of(b"GE"), head_of(b"GE")]
        for head in heads:
            self.assertIs(matcher.match(head), MORE)
        heads[0].data += b"T"
        heads[1].data += b"X"
        self.assertEqual([matcher.match(head) for head in heads], [YES, NO])


class WhyTests(SynchronousTestCase):
    def test_yes(self) -> None:
        why = All((GET, GE)).why(head_of(b"GET"))
        self.assertEqual(why.text, "starts with GET; starts with GE")
        self.assertIsNone(why.pattern)

    def test_no(self) -> None:
        """The part that says NO is the reason, and its place the index."""
        here = Source((Network("10.0.0.0/8"),))
        why = All((GET, here, NEVER)).why(head_of(b"GET"))
        self.assertEqual(why.pattern, 1)
        self.assertIn("is not among those chosen", why.text)

    def test_more(self) -> None:
        why = All((Always(), GET)).why(head_of(b"GE"))
        self.assertEqual(
            (why.text, why.pattern), ("2 octets agree, more are needed", 1)
        )

    def test_facts(self) -> None:
        """Those of all parts, each once."""
        data = b"GET / HTTP/1.1\r\n"
        why = All((Http(), Http(method=("GET",)))).why(head_of(data))
        self.assertEqual(why.facts, Http().why(head_of(data)).facts)


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        all_of.register(registry)
        self.assertEqual(registry.matchers, {"all": All})
