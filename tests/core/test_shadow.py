"""Tests for L{portmux.core.shadow}."""

from __future__ import annotations

from itertools import permutations
from time import perf_counter

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.head import Head, Matcher, Reason, Verdict
from portmux.core.match.all_of import All
from portmux.core.match.always import Always
from portmux.core.match.any_of import AnyOf
from portmux.core.match.http import Http
from portmux.core.match.local import Local
from portmux.core.match.negation import Not
from portmux.core.match.prefix import Prefix
from portmux.core.match.regex import Regex
from portmux.core.match.source import Source
from portmux.core.match.ssh import Ssh
from portmux.core.match.tls import Tls
from portmux.core.network import Network, Ports
from portmux.core.pattern import Pattern
from portmux.core.shadow import Prover, Shadow, shadows
from portmux.testing import LOCAL, verdict_of
from tests.openings import OPENINGS

GIT = Tls(sni=(Pattern("git.example.org"),))
OFFICE = Source((Network("10.0.0.0/8"),))
DESK = Source((Network("10.1.2.3"),))


@attrs.frozen
class Foreign:
    """A matcher of an extension: nobody knows what it does."""

    def match(self, head: Head) -> Verdict:
        return Verdict.YES

    def why(self, head: Head) -> Reason:
        return Reason("it wants to")


def prefix(*patterns: bytes) -> Prefix:
    return Prefix(patterns)


def found(*matchers: Matcher) -> list[tuple[int, tuple[int, ...]]]:
    return [(shadow.route, shadow.by) for shadow in shadows(matchers)]


class ShadowTests(SynchronousTestCase):
    def check(self, *pairs: tuple[Matcher, Matcher]) -> None:
        """Of each pair the second can never win, and the first can."""
        for above, below in pairs:
            self.assertEqual(found(above, below), [(1, (0,))], (above, below))

    def free(self, *pairs: tuple[Matcher, Matcher]) -> None:
        """Nothing is claimed of any of these."""
        for pair in pairs:
            self.assertEqual(found(*pair), [], pair)

    def test_always(self) -> None:
        """Nothing below it wins, not even what an extension brings."""
        self.check((Always(), Ssh()), (Always(), OFFICE), (Always(), Foreign()))
        self.free((Ssh(), Always()), (Foreign(), Always()), (Foreign(), Foreign()))

    def test_same(self) -> None:
        """The second of two that are equal."""
        for matcher in (Ssh(), GIT, OFFICE, prefix(b"x"), Not(GIT), All((GIT, DESK))):
            self.check((matcher, matcher))

    def test_prefix(self) -> None:
        """A longer one below a shorter one."""
        self.check(
            (prefix(b"GET"), prefix(b"GET /")),
            (prefix(b"", b"x"), prefix(b"a", b"")),
            (prefix(b""), Ssh()),
            (prefix(b"a" * 300), prefix(b"a" * 400)),
            (prefix(b"\x16"), Tls()),
            (prefix(b"\x16\x03"), GIT),
            (prefix(b"GET", b"PUT"), Http(method=("GET",), host=(Pattern("x"),))),
        )
        self.free(
            (prefix(b"GET /"), prefix(b"GET")),
            (prefix(b"GET"), prefix(b"GET", b"PUT")),
            (prefix(b"\x16"), prefix(b"")),
            (prefix(b"G"), Http()),
            (GIT, prefix(b"\x16\x03")),
        )

    def test_protocols(self) -> None:
        """Fixed octets below the protocol that they begin."""
        self.check(
            (Ssh(), prefix(b"SSH-2.0-Open")),
            (prefix(b"SSH-"), Ssh()),
            (Http(), prefix(b"GET / HTTP/1.1\r\n")),
            (Regex(("(GET|PUT) /",)), prefix(b"GET /x", b"PUT /")),
            (Regex(("(?i)get",)), Regex(("get /", "GET"))),
            (Tls(), GIT),
        )
        self.free(
            (Ssh(), prefix(b"SSH-")),
            (Http(), prefix(b"GET / HTTP")),
            (Regex((".*x",)), Regex((".*y",))),
            (GIT, Tls()),
            (Ssh(), Tls()),
        )

    def test_addresses(self) -> None:
        """A network below a larger one, with whatever else it asks for."""
        self.check((OFFICE, DESK), (OFFICE, All((DESK, Ssh()))))
        self.free((DESK, OFFICE), (All((OFFICE, Ssh())), DESK), (OFFICE, Ssh()))
        self.check((All((OFFICE, Ssh())), All((Ssh(), DESK))))

    def test_any(self) -> None:
        """Each choice must be covered; one that is wide enough covers."""
        self.check(
            (AnyOf((Ssh(), Tls())), GIT),
            (AnyOf((Ssh(), Tls())), AnyOf((GIT, prefix(b"SSH-2.0-x")))),
            (AnyOf((Ssh(), OFFICE)), DESK),
        )
        self.free((AnyOf((Ssh(), GIT)), AnyOf((Ssh(), Tls()))))

    def test_not(self) -> None:
        """What begins otherwise lies below it."""
        self.check(
            (Not(Tls()), Ssh()),
            (Not(prefix(b"GET")), prefix(b"PUT")),
            (Not(DESK), Not(OFFICE)),
            (Not(prefix(b"AB")), Not(prefix(b"A"))),
        )
        self.free(
            (Not(Tls()), prefix(b"\x16")),
            (Not(OFFICE), Not(DESK)),
            (Not(OFFICE), Ssh()),
            # Both may say MORE for long, and then time is up.
            (Not(GIT), Not(Tls())),
        )

    def test_several_above(self) -> None:
        """Each value may be covered by another route."""
        self.assertEqual(
            found(Ssh(), Tls(), prefix(b"SSH-2.0-x", b"SSH-1.5-")), [(2, (0,))]
        )
        self.assertEqual(
            found(prefix(b"A"), prefix(b"B"), prefix(b"AA", b"B")), [(2, (0, 1))]
        )
        self.assertEqual(found(Ssh(), Tls(), AnyOf((GIT, Ssh()))), [(2, (0, 1))])
        both = Source((Network("10.1.2.3"), Network("192.0.2.1")))
        self.assertEqual(found(OFFICE, both), [])

    def test_impossible(self) -> None:
        """What matches nothing needs nobody above it."""
        for matcher in (
            Regex(("a$",)),
            All((Ssh(), Tls())),
            All((prefix(b"A"), OFFICE, Not(prefix(b"A")))),
            Not(Always()),
            AnyOf((Regex(("$",)), Not(Always()))),
            All((OFFICE, AnyOf((Regex(("$",)),)))),
        ):
            self.assertEqual(found(matcher), [(0, ())], matcher)
        self.assertEqual(found(All((GIT, OFFICE)), AnyOf((Regex(("$",)), Ssh()))), [])

    def test_all_are_found(self) -> None:
        """In order, and a route that cannot win may still shadow others."""
        self.assertEqual(
            shadows([Tls(), GIT, GIT, Always(), Ssh()]),
            [Shadow(1, (0,)), Shadow(2, (0,)), Shadow(4, (3,))],
        )

    def test_many_routes(self) -> None:
        """Hundreds of them take no time that anybody notices."""
        hosts = [Http(host=(Pattern(f"{n}.example.org"),)) for n in range(150)]
        snis = [Tls(sni=(Pattern(f"{n}.example.org"),)) for n in range(150)]
        started = perf_counter()
        self.assertEqual(shadows([*hosts, *snis]), [])
        self.assertLess(perf_counter() - started, 20)


KINDS: list[Matcher] = [
    Always(),
    GIT,
    Tls(),
    Tls(alpn=("h2",)),
    Ssh(),
    Http(),
    Http(method=("GET",)),
    Http(host=(Pattern("*.example.org"),)),
    Http(path=(Pattern("/*"),)),
    prefix(b""),
    prefix(b"GET ", b"SSH-"),
    prefix(b"\x16\x03"),
    prefix(b"\x16\x03\x01", b"SSH-2.0-"),
    Regex(("GET|SSH",)),
    Regex((r"\x16\x03.{4}",)),
    Not(Tls()),
    Not(prefix(b"GET")),
    OFFICE,
    Not(DESK),
    Local(port=(Ports(443),)),
    All((Ssh(), OFFICE)),
    AnyOf((Tls(), Ssh())),
    Not(AnyOf((Tls(), OFFICE))),
    AnyOf((Http(), GIT)),
    All((Not(Ssh()), Not(Tls()))),
]


class SoundnessTests(SynchronousTestCase):
    """No false alarm: what is proven holds for every beginning of real openings."""

    def setUp(self) -> None:
        prover = Prover()
        self.proven = [
            (one, other)
            for one, other in permutations(KINDS, 2)
            if prover.implies(one, other)
        ]

    def test_some_are_proven(self) -> None:
        """Else the other tests would show nothing."""
        self.assertGreater(len(self.proven), 60)

    def hold(self, data: bytes, source: Host) -> None:
        """Whatever says YES, so does what it implies."""
        given = {
            id(kind): verdict_of(kind, data, source, LOCAL) is Verdict.YES
            for kind in KINDS
        }
        for one, other in self.proven:
            if given[id(one)]:
                self.assertTrue(given[id(other)], (one, other, data, source))

    def test_openings(self) -> None:
        """Cut anywhere, from here and there."""
        for data in OPENINGS.values():
            for size in (*range(30), *range(30, len(data), 37), len(data)):
                for host in ("10.1.2.3", "10.9.9.9", "192.0.2.7"):
                    self.hold(data[:size], Host(host, 5))

    @settings(max_examples=200)
    @given(
        st.sampled_from([b"", b"GET ", b"GE", b"SSH-", b"SSH-2.0-", b"\x16\x03\x01"]),
        st.binary(max_size=40),
        st.sampled_from(["10.1.2.3", "10.9.9.9", "192.0.2.7"]),
    )
    def test_noise(self, start: bytes, rest: bytes, host: str) -> None:
        """And whatever else comes."""
        self.hold(start + rest, Host(host, 5))
