"""Tests for L{portmux.core.match.http}."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import http
from portmux.core.match.http import Http
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
HTTP = [OPENINGS[name] for name in sorted(named("http1"))]

EXAMPLES = (Http(), Http(method=("GET",), host=(Pattern("*.example.org"),)))


def globs(*patterns: str) -> tuple[Pattern, ...]:
    return tuple(map(Pattern, patterns))


def request(line: bytes = b"GET / HTTP/1.1", *fields: bytes) -> bytes:
    return b"".join(one + b"\r\n" for one in (line, *fields, b""))


def decided(matcher: Http, data: bytes) -> tuple[bytes, Verdict]:
    """@return: the octets that decide, and how they do."""
    found = verdicts(matcher, data)
    size = next(at for at, verdict in enumerate(found) if verdict is not MORE)
    return data[:size], found[size]


class HttpTests(SynchronousTestCase):
    def check(self, data: bytes, yes: dict[str, Any], no: dict[str, Any]) -> None:
        """Each of the options must match, or not match, alone."""
        for options, verdict in ((yes, YES), (no, NO)):
            for name, value in options.items():
                found = assert_every_cut(Http(**{name: value}), data)
                self.assertIs(found, verdict, f"{name}: {value}")

    def test_openings(self) -> None:
        www = named("http1") - named("http11-v6")
        for matcher, names in (
            (Http(), named("http1")),
            (
                Http(method=("POST", "CONNECT")),
                named("http11-curl-post", "http11-curl-con"),
            ),
            (Http(host=globs("*.example.org")), www),
            (Http(host=globs("[::1]")), named("http11-v6")),
            (Http(path=globs("*.html", "*.gz")), {"http11-curl", "http11-wget"}),
            (Http(header={"upgrade": globs("h2c")}), {"http11-curl-upgrade"}),
            (
                Http(
                    method=("GET",),
                    host=globs("www*"),
                    header={"user-agent": globs("curl/*")},
                ),
                {n for n in www if "curl" in n}
                - named("http11-curl-post", "http11-curl-con"),
            ),
        ):
            self.assertEqual(recognised(matcher, OPENINGS), names, str(matcher))

    def test_the_line_is_enough(self) -> None:
        """Where no option asks for fields, whatever they are."""
        line = b"GET /a HTTP/1.1\r\n"
        for matcher in (Http(), Http(method=("GET",)), Http(path=globs("/a"))):
            self.assertEqual(decided(matcher, line + b" \0"), (line, YES))

    def test_no_as_early_as_possible(self) -> None:
        post, www = Http(method=("POST", "PUT")), Http(host=globs("www.x"))
        for matcher, data, octets in (
            (post, b"GET / HTTP/1.1", b"G"),
            (post, b"PUX", b"PUX"),
            (post, b"PUTT", b"PUTT"),
            (post, b"PU ", b"PU "),
            (Http(path=globs("/a")), b"GET /b HTTP/1.1", b"GET /b "),
            (www, b"GET http://x/ HTTP", b"GET http://x/ "),
            (
                www,
                request(b"GET / HTTP/1.1", b"Host: x", b"a:b"),
                b"GET / HTTP/1.1\r\nHost: x\r\n",
            ),
            (www, request(b"GET / HTTP/1.0"), request(b"GET / HTTP/1.0")),
            (Http(), b"\x16\3\1", b"\x16"),
            (Http(), b"SSH-2.0-x\r\n", b"SSH-2.0-x\r"),
            (Http(), b"GET / HTTP/2", b"GET / HTTP/2"),
        ):
            self.assertEqual(decided(matcher, data), (octets, NO))

    def test_fields_need_the_whole_head(self) -> None:
        """A second Host field may follow, and then it is nobody's request."""
        data = request(b"GET / HTTP/1.1", b"Host: a", b"b: c")
        for matcher in (Http(host=globs("a")), Http(header={"B": globs("c")})):
            self.assertEqual(decided(matcher, data), (data, YES))
        twice = request(b"GET / HTTP/1.1", b"Host: a", b"b: c", b"Host: a")
        for matcher in (Http(host=globs("a")), Http(header={"B": globs("c")})):
            self.assertIs(assert_every_cut(matcher, twice), NO)

    def test_method(self) -> None:
        self.check(
            request(b"get / HTTP/1.1"),
            {"method": ("GET", "get")},
            {"method": ("GET", "ge")},
        )

    def test_path(self) -> None:
        self.check(
            request(b"GET /Git/a.b?x=/y HTTP/1.1"),
            {"path": (*globs("/x"), Pattern(regex="/Git/[a.b]+"))},
            {"path": globs("/git/*", "/Git/a.b?x=/y", "/Git/a")},
        )
        self.check(request(b"OPTIONS * HTTP/1.1"), {"path": globs("[*]")}, {})

    def test_host(self) -> None:
        """Without case, port and dot; a pattern may be an address in brackets."""
        self.check(
            request(b"GET / HTTP/1.1", b"Host: WWW.Example.org.:80"),
            {"host": globs("www.EXAMPLE.org")},
            {"host": globs("example.org", "*:80", "*.")},
        )
        self.check(
            request(b"GET / HTTP/1.1", b"Host: [::1]:80"),
            {"host": globs("::1")},
            {"host": globs("[::2]")},
        )
        self.assertIs(
            verdict_of(
                Http(host=globs("[::1]")), request(b"GET / HTTP/1.1", b"Host: [::1]")
            ),
            YES,
        )

    def test_no_host(self) -> None:
        """A request that names none never matches, whatever the pattern."""
        for data in (
            request(b"GET / HTTP/1.0"),
            request(b"GET / HTTP/1.1", b"Host:"),
            request(b"GET / HTTP/1.1", b"Host: :80"),
        ):
            self.check(data, {}, {"host": (Pattern("*"), Pattern(regex=".*"))})

    def test_the_target_wins(self) -> None:
        self.check(
            request(b"GET http://a/b HTTP/1.1", b"Host: c"),
            {"host": globs("a"), "path": globs("/b")},
            {"host": globs("c")},
        )

    def test_header(self) -> None:
        """Each field named must be there; any of its values may fit any pattern."""
        a, b = globs("1"), (Pattern("x"), Pattern(regex="[23]"))
        self.check(
            request(b"GET / HTTP/1.1", b"a: 1", b"B: 0", b"b:  2"),
            {"header": {"A": a, "b": b}},
            {"header": {"A": a, "c": globs("*")}},
        )
        self.check(
            request(b"GET / HTTP/1.1", b"a:"),
            {"header": {"a": globs("")}},
            {"header": {"a": globs("?*")}},
        )

    def test_wrong_names(self) -> None:
        for options in (
            {"method": ("",)},
            {"method": ("A B",)},
            {"header": {"a:": ()}},
        ):
            fault = self.assertRaises(ValueError, Http, **options)
            self.assertIn("is no token", str(fault))

    def test_empty_options(self) -> None:
        """Options with no value are faults: they would let anything match."""
        for name, value in (
            ("method", ()),
            ("host", ()),
            ("path", ()),
            ("header", {}),
            ("header", {"a": ()}),
        ):
            option = declared(attrs.fields_dict(Http)[name])
            assert option is not None and option.check is not None
            fault = self.assertRaises(ValueError, option.check, value)
            self.assertIn("at least one is needed", str(fault))

    def test_first(self) -> None:
        self.assertEqual(Http(method=("GET", "POST")).first(), frozenset(b"GP"))
        self.assertEqual(
            Http().first(),
            frozenset(o for o in range(256) if verdict_of(Http(), bytes([o])) is MORE),
        )

    @given(
        noise([*HTTP, request(b"GET http://a/ HTTP/1.1", b"Host: a", b"b:c")]),
        st.sampled_from(
            [
                Http(),
                Http(method=("GET",), path=globs("/*")),
                Http(host=globs("www*", "a")),
                Http(path=globs("/*"), header={"accept": globs("*")}),
            ]
        ),
    )
    def test_noise(self, data: bytes, matcher: Http) -> None:
        assert_every_cut(matcher, data[:250])

    def assert_linear(
        self, matcher: Http, start: bytes, unit: bytes, size: int = 6000
    ) -> None:
        """The work must be linear in the size of what follows C{start}."""
        small, big = (start + unit * (n // len(unit)) for n in (size // 2, size))
        cost = trickle(matcher, big)
        self.assertLessEqual(cost, 2.2 * trickle(matcher, small), start[:20])
        self.assertLessEqual(cost, 150 * len(big), start[:20])

    def test_work(self) -> None:
        """Octet by octet, wherever they are."""
        long = Pattern(regex="(/|(a+)+)*")
        fields = Http(host=(long,), path=(long,), header={"a": (long,)})
        line = b"GET / HTTP/1.1\r\n"
        self.assert_linear(Http(), b"", b"a")
        self.assert_linear(Http(), b"GET /", b"a")
        self.assert_linear(Http(method=("a" * 70_000,)), b"", b"a")
        self.assert_linear(fields, b"GET /", b"a")
        self.assert_linear(fields, line + b"a: ", b"a")
        self.assert_linear(fields, line, b"a:b\r\n", size=65_000)

    def test_work_is_not_done_again(self) -> None:
        """A long path or host is compared once, whatever fields follow."""
        long = (Pattern(regex="/?(a+)+"),)
        before = b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nHost: " + b"a" * 3000 + b"\r\n"
        self.assert_linear(Http(host=long, path=long), before, b"b:c\r\n")


class WhyTests(SynchronousTestCase):
    def test_facts(self) -> None:
        why = Http().why(head_of(OPENINGS["http11-curl"]))
        self.assertEqual(why.text, "the request line is whole")
        self.assertEqual(
            dict(why.facts),
            {
                "method": "GET",
                "host": "www.example.org",
                "path": "/index.html",
                "version": "1.1",
            },
        )

    def test_reasons(self) -> None:
        data = request(b"GET /a HTTP/1.1", b"Host: b")
        for options, octets, text in (
            ({}, b"", "nothing has come"),
            ({"method": ("GET",)}, b"GE", "the method is incomplete"),
            ({}, b"GET /", "the request line is incomplete"),
            ({"host": globs("b")}, data[:-2], "the head is incomplete"),
            ({"method": ("PUT",)}, data, "the method is another one"),
            ({"path": globs("/")}, data, "no pattern fits the path"),
            ({"host": globs("a")}, data, "no pattern fits the host"),
            ({"host": globs("a")}, request(), "the request names no host"),
            (
                {"header": {"a": globs("a")}},
                data,
                "a header field is missing or has another value",
            ),
            ({"host": globs("b")}, data, "the head is whole"),
            ({}, b"\0", "no HTTP/1 request: no method"),
        ):
            why = Http(**options).why(head_of(octets))
            self.assertEqual(why.text, text)

    def test_facts_forge_nothing(self) -> None:
        data = request(b'GET /" HTTP/1.1')
        self.assertIn(("path", r"/\x22"), Http().why(head_of(data)).facts)


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        http.register(registry)
        self.assertEqual(registry.matchers, {"http": Http})
