"""Tests for L{portmux.core.narrower}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Matcher, Verdict
from portmux.core.match.always import Always
from portmux.core.match.http import Http
from portmux.core.match.local import Local
from portmux.core.match.source import Source
from portmux.core.match.ssh import Ssh
from portmux.core.match.tls import Tls
from portmux.core.narrower import is_narrower
from portmux.core.network import Network, Ports
from portmux.core.pattern import Pattern
from portmux.testing import verdict_of


def globs(*texts: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(text) for text in texts)


def expressions(*texts: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(regex=text) for text in texts)


def source(*networks: str, port: tuple[str, ...] = ()) -> Source:
    return Source(tuple(map(Network, networks)), port=tuple(map(Ports, port)))


class NarrowerCase(SynchronousTestCase):
    def check(self, answer: bool, *pairs: tuple[Matcher, Matcher]) -> None:
        for one, other in pairs:
            self.assertEqual(is_narrower(one, other), answer, (one, other))


class TlsTests(NarrowerCase):
    def test_narrower(self) -> None:
        """More options, fewer values, or patterns that fit less."""
        self.check(
            True,
            (Tls(), Tls()),
            (Tls(sni=globs("a.b")), Tls()),
            (Tls(alpn=("h2",)), Tls(alpn=("http/1.1", "h2"))),
            (Tls(sni=globs("a.b"), alpn=("h2",)), Tls(sni=globs("*.b"))),
            (Tls(sni=globs("A.b")), Tls(sni=globs("c", "a.B"))),
            (Tls(sni=globs("a.b", "x.b")), Tls(sni=expressions("[a-z][.]b"))),
            (Tls(sni=expressions("a|b")), Tls(sni=expressions("a|b"))),
        )

    def test_not_proven(self) -> None:
        """The other way round, and what is only like it."""
        self.check(
            False,
            (Tls(), Tls(sni=globs("*"))),  # a client may name no server
            (Tls(sni=globs("a.b")), Tls(alpn=("h2",))),
            (Tls(alpn=("h2", "h3")), Tls(alpn=("h2",))),
            (Tls(sni=globs("a.b", "c")), Tls(sni=globs("*.b"))),
            (Tls(sni=expressions("a[.]b")), Tls(sni=globs("a.b"))),
            (Tls(sni=globs("[ab].c")), Tls(sni=globs("a.c", "b.c"))),
        )


class HttpTests(NarrowerCase):
    def test_narrower(self) -> None:
        """The same for methods, hosts, paths and fields."""
        upgrade = {"Upgrade": globs("websocket")}
        self.check(
            True,
            (Http(host=globs("a")), Http()),
            (Http(method=("GET",)), Http(method=("GET", "PUT"))),
            (Http(path=globs("/a/b/*")), Http(path=globs("/a/*"))),
            (Http(host=globs("[::1]")), Http(host=globs("[::1]"))),
            (
                Http(header=upgrade, host=globs("a")),
                Http(header={"upgrade": globs("*")}),
            ),
        )

    def test_not_proven(self) -> None:
        """Paths and values have their case; a field that is not asked may lack."""
        self.check(
            False,
            (Http(path=globs("/A")), Http(path=globs("/a"))),
            (Http(method=("PUT", "GET")), Http(method=("GET",))),
            (Http(host=globs("a")), Http(header={"host": globs("*")})),
            (Http(path=globs("/*")), Http(path=globs("/a*"))),
            (Http(host=globs("x")), Http(host=globs("[::1]"))),
            (Http(header={"a": globs("X")}), Http(header={"a": globs("x")})),
        )


class PlaceTests(NarrowerCase):
    def test_narrower(self) -> None:
        """Networks in networks, ports in ports."""
        self.check(
            True,
            (source("10.1.0.0/16"), source("10.0.0.0/8")),
            (source("10.0.0.1-10.0.0.9", "::1"), source("::/64", "10.0.0.0/24")),
            (source("10.0.0.1", port=("5-6",)), source("10.0.0.1")),
            (source(port=("1-3",)), source(port=("1-2", "3-9"))),
            (Local(port=(Ports(443),)), Local(port=(Ports("1-1023"),))),
        )

    def test_not_proven(self) -> None:
        """Another kind is never narrower."""
        self.check(
            False,
            (source("10.0.0.0/8"), source("10.1.0.0/16")),
            (source("10.0.0.1"), source("10.0.0.1", port=("5",))),
            (source(port=("5",)), source("0.0.0.0/0")),
            (source(port=("1-3",)), source(port=("1-2",))),
            (source("10.0.0.1"), Local(tuple(map(Network, ["10.0.0.1"])))),
            (Always(), Always()),
            (Ssh(), Always()),
        )


class GlobTests(SynchronousTestCase):
    @given(
        st.text("ab*?", min_size=1, max_size=5),
        st.text("ab*?", min_size=1, max_size=5),
        st.text("ab", min_size=1, max_size=5),
    )
    def test_sound(self, one: str, other: str, path: str) -> None:
        """What one glob fits, a wider one fits, whatever they are."""
        narrow, wide = Http(path=globs(f"/{one}")), Http(path=globs(other))
        if is_narrower(narrow, wide):
            request = f"GET /{path} HTTP/1.1\r\n".encode()
            if verdict_of(narrow, request) is Verdict.YES:
                self.assertIs(verdict_of(wide, request), Verdict.YES)
