"""Tests for L{portmux.core.explain}."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.explain import MOST_SINGLE, RANDOM_CUTS, Client, explain, try_cuts
from portmux.core.head import Head, Matcher, Reason, Verdict
from portmux.core.match.all_of import All
from portmux.core.match.always import Always
from portmux.core.match.http import Http
from portmux.core.match.prefix import Prefix
from portmux.core.match.source import Source
from portmux.core.match.ssh import Ssh
from portmux.core.match.tls import Tls
from portmux.core.network import Network
from portmux.core.pattern import Pattern
from portmux.core.plan import Closing
from portmux.core.sniff import Cause, Decision, Route, Table, Way
from portmux.testing import LOCAL, SOURCE
from tests.openings import OPENINGS

CLIENT = Client(SOURCE, LOCAL)


def way(name: str) -> Way:
    return Way(name, Closing())


def table(eager: bool = False, limit: int = 65536, **matchers: Matcher) -> Table:
    """@return: one with routes of these names."""
    routes = [Route(matcher, way(name)) for name, matcher in matchers.items()]
    return Table(routes, eager=eager, limit=limit)


def usual(eager: bool = False) -> Table:
    return table(
        eager,
        vpn=Source((Network("10.0.0.0/8"),)),
        git=Tls(sni=(Pattern("git.example.org"),)),
        tls=Tls(),
        ssh=Ssh(),
        web=Http(host=(Pattern("*.example.org"),)),
        get=Prefix((b"POST", b"GET")),
    )


def told(decision: Decision | None) -> tuple[str, Cause] | None:
    return None if decision is None else (decision.way.name, decision.cause)


class ExplainTests(SynchronousTestCase):
    def test_every_route(self) -> None:
        """In order, each with its verdict and how many octets it took."""
        trace = explain(usual(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", CLIENT)
        self.assertEqual(
            [(row.route, row.verdict, row.octets, row.won) for row in trace.rows],
            [
                ("vpn", Verdict.NO, 0, False),
                ("git", Verdict.NO, 1, False),
                ("tls", Verdict.NO, 1, False),
                ("ssh", Verdict.NO, 1, False),
                ("web", Verdict.NO, 25, False),
                ("get", Verdict.YES, 3, True),
            ],
        )
        self.assertEqual(told(trace.decision), ("get", Cause.MATCH))
        self.assertEqual(trace.octets, 25)  # that is when web gave way
        self.assertEqual((trace.at_eof, trace.at_timeout), (None, None))
        self.assertEqual(trace.rows[-1].reason.pattern, 1)
        self.assertIn(("host", "x"), trace.rows[4].reason.facts)

    def test_reason(self) -> None:
        """It is that of the octet that decided; facts are those of all octets."""
        here = table(
            both=All((Ssh(), Source((Network("10.0.0.0/8"),)))),
            get=Prefix((b"GET", b"GE")),
            http=Http(method=("GET",)),
            other=Http(method=("PUT",)),
        )
        rows = explain(here, b"GET / HTTP/1.1\r\n", CLIENT).rows
        self.assertIn("source 192.0.2.7:50007 is not among", rows[0].reason.text)
        self.assertEqual(rows[1].reason.pattern, 1)
        self.assertEqual((rows[3].octets, rows[3].verdict), (1, Verdict.NO))
        self.assertEqual(dict(rows[3].reason.facts)["path"], "/")

    def test_eager(self) -> None:
        """The route with the fewest octets wins, whatever stands above it."""
        trace = explain(usual(eager=True), b"GET / HTTP/1.1\r\n", CLIENT)
        self.assertEqual(told(trace.decision), ("get", Cause.MATCH))
        self.assertEqual(trace.octets, 3)

    def test_addresses(self) -> None:
        """What needs no octet takes none."""
        source = attrs.evolve(SOURCE, host="10.1.2.3")
        trace = explain(usual(), b"GET", Client(source, LOCAL))
        self.assertEqual(told(trace.decision), ("vpn", Cause.MATCH))
        self.assertEqual(trace.octets, 0)

    def test_undecided(self) -> None:
        """It says what an end, and what silence, makes of it."""
        here = usual()
        here.undecided = way("undecided")
        trace = explain(here, b"GET / HT", CLIENT)
        self.assertIsNone(trace.decision)
        self.assertEqual(trace.octets, 8)
        self.assertEqual(told(trace.at_eof), ("get", Cause.EOF))
        self.assertEqual(told(trace.at_timeout), ("undecided", Cause.TIMEOUT))
        self.assertIsNone(trace.rows[4].octets)
        self.assertEqual(trace.rows[4].verdict, Verdict.MORE)

    def test_silent(self) -> None:
        """A client that sends nothing has its own ends."""
        here = usual()
        here.silent = way("silent")
        trace = explain(here, b"", CLIENT)
        self.assertIsNone(trace.decision)
        self.assertEqual(told(trace.at_eof), ("close", Cause.EOF))
        self.assertEqual(told(trace.at_timeout), ("silent", Cause.SILENT))

    def test_none_left(self) -> None:
        """No route wins: fallback, after as many octets as the last one took."""
        trace = explain(usual(), b"SS\1", CLIENT)
        self.assertEqual(told(trace.decision), ("close", Cause.NONE_LEFT))
        self.assertEqual(trace.octets, 3)
        self.assertFalse(any(row.won for row in trace.rows))

    def test_limit(self) -> None:
        """Octets behind it are not looked at."""
        here = table(limit=4, long=Prefix((b"abcdef",)), short=Prefix((b"ab",)))
        trace = explain(here, b"abcdef", CLIENT)
        self.assertEqual(told(trace.decision), ("short", Cause.LIMIT))
        self.assertEqual(trace.octets, 4)
        self.assertEqual(
            [(row.verdict, row.won) for row in trace.rows],
            [(Verdict.MORE, False), (Verdict.YES, True)],
        )

    def test_live_connections_do_not_notice(self) -> None:
        """A sniffer that waits for more keeps what is its own."""
        here = usual()
        sniffer = here.first(b"GET / HT", SOURCE, LOCAL)
        explain(here, b"SSH-2.0-x\r\n", CLIENT)
        assert not isinstance(sniffer, Decision)
        self.assertEqual(sniffer.data, b"GET / HT")
        self.assertEqual(
            told(sniffer.feed(b"TP/1.1\r\nHost: a.example.org\r\n\r\n")),
            ("web", Cause.MATCH),
        )


@attrs.frozen
class Fickle:
    """What no matcher may be: it answers by the segment's end, and changes its mind."""

    sizes: tuple[int, ...]

    def match(self, head: Head) -> Verdict:
        return Verdict.YES if len(head.data) in self.sizes else Verdict.MORE

    def why(self, head: Head) -> Reason:
        return Reason("it seemed so")


class CutTests(SynchronousTestCase):
    def test_counts(self) -> None:
        """The whole, each single cut, octet by octet, and some by chance."""
        cuts = try_cuts(usual(), b"GET / HTTP/1.1\r\n\r\n", CLIENT)
        self.assertIsNone(cuts.differing)
        self.assertEqual(cuts.tried, 1 + 17 + 1 + RANDOM_CUTS)

    def test_few_octets(self) -> None:
        """What cannot be cut has one way."""
        for data, tried in ((b"", 1), (b"G", 1), (b"GE", 3)):
            cuts = try_cuts(usual(), data, CLIENT)
            self.assertEqual((cuts.tried, cuts.differing), (tried, None))

    def test_very_many_octets(self) -> None:
        """The number of ways is bounded."""
        here = table(long=Prefix((b"a" * 20000,)))
        cuts = try_cuts(here, b"a" * 10000, CLIENT)
        self.assertIsNone(cuts.differing)
        self.assertLessEqual(cuts.tried, MOST_SINGLE + RANDOM_CUTS + 2)

    def test_difference(self) -> None:
        """A matcher that depends on the cuts is found out, with a cut that shows it."""
        cuts = try_cuts(table(odd=Fickle((3,))), b"abcd", CLIENT)
        self.assertEqual(cuts.differing, (3, 1))

    def test_another_moment(self) -> None:
        """The same end, sooner or later than it should be, is a difference too."""
        here = table(odd=Fickle((2, 4)))
        self.assertEqual(try_cuts(here, b"abcd", CLIENT).differing, (3, 1))
        here = table(odd=Fickle((1, 3, 4)))
        self.assertEqual(try_cuts(here, b"abcd", CLIENT).differing, (1, 3))

    @settings(max_examples=20, deadline=None)
    @given(st.sampled_from(sorted(OPENINGS)), st.booleans())
    def test_real_openings(self, name: str, eager: bool) -> None:
        """However they are cut: our matchers, in both resolutions."""
        data = OPENINGS[name][:400]
        self.assertIsNone(try_cuts(usual(eager), data, CLIENT).differing)

    def test_at_once(self) -> None:
        """A route that needs no octet wins before the first segment."""
        cuts = try_cuts(table(all=Always()), b"abc", CLIENT)
        self.assertIsNone(cuts.differing)
