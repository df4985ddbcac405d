"""Tests for L{portmux.core.match.tls}."""

from __future__ import annotations

import attrs
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import tls
from portmux.core.match.tls import Tls
from portmux.core.option import declared
from portmux.core.pattern import Pattern
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
GIT = OPENINGS["tls13-openssl"]
NAMELESS = OPENINGS["tls12-openssl-nameless-alpn"]

EXAMPLES = (Tls(), Tls(sni=(Pattern("*.example.org"),), alpn=("h2",)))


def sni(*globs: str) -> Tls:
    return Tls(sni=tuple(map(Pattern, globs)))


def in_records(data: bytes, size: int) -> bytes:
    """@return: an opening of one record, in records of this size."""
    message = data[5:]
    pieces = (message[at : at + size] for at in range(0, len(message), size))
    return b"".join(
        b"\x16\3\1" + len(piece).to_bytes(2, "big") + piece for piece in pieces
    )


class TlsTests(SynchronousTestCase):
    def test_openings(self) -> None:
        for matcher, names in (
            (Tls(), named("tls")),
            (sni("*"), named("tls") - {n for n in OPENINGS if "nameless" in n}),
            (sni("git.example.org"), {"tls12-openssl", "tls13-openssl"}),
            (
                sni("www.*"),
                {f"tls13-{one}" for one in ("chrome", "curl", "firefox", "safari")},
            ),
            (Tls(alpn=("http/1.1",)), {*_with_alpn(), "tls12-openssl-nameless-alpn"}),
            (Tls(alpn=("h3", "h2")), _with_alpn()),
            (
                Tls(sni=(Pattern("g*"),), alpn=("h2",)),
                {"tls13-openssl", "tls13-go-mlkem"},
            ),
        ):
            self.assertEqual(recognised(matcher, OPENINGS), names, str(matcher))

    def test_headers_are_enough(self) -> None:
        """Without options: 5 octets of record, 4 of message, in any records."""
        self.assertEqual(verdicts(Tls(), GIT[:20]), [MORE] * 9 + [YES] * 12)
        small = in_records(GIT, 1)
        self.assertEqual(verdicts(Tls(), small[:30]), [MORE] * 24 + [YES] * 7)

    def test_last_octet(self) -> None:
        """With options all of the hello counts: it may turn out to be malformed."""
        self.assertEqual(set(verdicts(sni("*"), GIT)[:-1]), {MORE})
        self.assertEqual(set(verdicts(sni("other"), GIT)[:-1]), {MORE})

    def test_first_contradiction(self) -> None:
        for matcher in (Tls(), sni("*")):
            self.assertEqual(verdicts(matcher, b"\x16\2"), [MORE, MORE, NO])
            self.assertEqual(verdicts(matcher, b"\x15"), [MORE, NO])
            self.assertEqual(matcher.first(), frozenset(b"\x16"))

    def test_no_name(self) -> None:
        """A client that names no server never matches, whatever the pattern."""
        for pattern in (Pattern("*"), Pattern(""), Pattern(regex=".*")):
            self.assertIs(verdict_of(Tls(sni=(pattern,)), NAMELESS), NO)

    def test_names_have_no_case(self) -> None:
        for pattern in (Pattern("GIT.*"), Pattern(regex="GIT[.].*")):
            self.assertIs(verdict_of(Tls(sni=(pattern,)), GIT), YES)

    def test_protocols_have_case(self) -> None:
        self.assertIs(verdict_of(Tls(alpn=("H2",)), GIT), NO)

    def test_records_and_cuts(self) -> None:
        for size in (1, 3, 50):
            verdict = assert_every_cut(sni("git.*"), in_records(GIT, size))
            self.assertIs(verdict, YES)

    def test_wrong_protocols(self) -> None:
        for name in ("", "x" * 256):
            fault = self.assertRaises(ValueError, Tls, alpn=(name,))
            self.assertIn("1 to 255 octets are allowed", str(fault))

    def test_empty_options(self) -> None:
        """Options with no value are faults: they would let anything match."""
        for name in ("sni", "alpn"):
            option = declared(attrs.fields_dict(Tls)[name])
            assert option is not None and option.check is not None
            fault = self.assertRaises(ValueError, option.check, ())
            self.assertIn("at least one is needed", str(fault))

    @given(noise([GIT, NAMELESS, in_records(NAMELESS, 5)]))
    def test_noise(self, data: bytes) -> None:
        for matcher in (Tls(), sni("g*")):
            verdicts(matcher, data[:400])

    def test_work(self) -> None:
        """19 KB of records with one octet each, octet by octet."""
        unfinished = b"\x16\3\1\xff\xff\1\0\xff\xff\3\3" + bytes(32) + b"\0\xf0\0"
        costs = []
        for size in (1600, 3200):
            data = in_records(unfinished + bytes(size), 1)
            costs.append(trickle(sni("*"), data))
        self.assertGreater(len(data), 19_000)
        self.assertLessEqual(costs[1], 2.2 * costs[0])
        self.assertLessEqual(costs[1], 200 * len(data))


def _with_alpn() -> set[str]:
    clients = ("openssl", "curl", "node", "chrome", "firefox", "safari", "go-mlkem")
    return {f"tls13-{client}" for client in clients}


class WhyTests(SynchronousTestCase):
    def test_facts(self) -> None:
        why = sni("a", "git.*").why(head_of(GIT))
        self.assertEqual((why.text, why.pattern), ("ClientHello", 1))
        self.assertEqual(
            why.facts,
            (
                ("sni", "git.example.org"),
                ("alpn", "h2,http/1.1"),
                ("version", "TLSv1.3"),
            ),
        )

    def test_facts_of_old_ones(self) -> None:
        facts = Tls().why(head_of(OPENINGS["tls10-openssl"])).facts
        self.assertEqual(facts, (("sni", "old.example.org"), ("version", "TLSv1.0")))
        facts = Tls().why(head_of(NAMELESS)).facts
        self.assertEqual(facts, (("alpn", "http/1.1"), ("version", "TLSv1.2")))

    def test_reasons(self) -> None:
        for matcher, data, text in (
            (sni("*"), NAMELESS, "the client names no server"),
            (sni("a"), GIT, "no pattern fits the server name git.example.org"),
            (
                Tls(alpn=("h3",)),
                GIT,
                "the client offers none of the application protocols",
            ),
            (Tls(), GIT[:20], "20 octets of a ClientHello, more may come"),
            (Tls(), b"\x17", "no ClientHello: record of type 23, not a handshake"),
        ):
            self.assertEqual(matcher.why(head_of(data)).text, text)

    def test_a_protocol_forges_nothing(self) -> None:
        data = GIT.replace(b"\x02h2\x08http/1.1", b'\x02\n,\x08http"1.1')
        facts = dict(Tls().why(head_of(data)).facts)
        self.assertEqual(facts["alpn"], r"\x0a,,http\x221.1")


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        tls.register(registry)
        self.assertEqual(registry.matchers, {"tls": Tls})
