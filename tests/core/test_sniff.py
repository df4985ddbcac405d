"""Tests for L{portmux.core.sniff}."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, Host
from portmux.core.head import Head, Matcher, Reason, Verdict, judge
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
from portmux.core.plan import Closing
from portmux.core.sniff import Cause, Decision, Route, Sniffer, Table, Way
from portmux.testing import (
    LOCAL,
    SOURCE,
    CountingBuffer,
    head_of,
    noise,
    steps,
    verdict_of,
)
from tests.core.memory import octets_kept
from tests.openings import OPENINGS

ELSEWHERE = Host("203.0.113.9", 1024)

HERE = Source((Network("192.0.2.0/24"),))
"""Matches L{SOURCE} and not L{ELSEWHERE}."""

LEAVES: Sequence[Matcher] = (
    Always(),
    HERE,
    Source((), port=(Ports("1-1023"),)),
    Local((), port=(Ports(443),)),
    Prefix((b"",)),
    Prefix((b"G", b"SSH-2.0-", b"\x16\x03")),
    Prefix((b"GET /index.html", b"\0\x0e8")),
    Prefix((b"GET / HTTP/1.1\r\n" + b"x" * 70, b"zz")),
    Regex(("(GET|POST) /[a-z]*\\.html",)),
    Regex(("SSH-[12]", "[^\\n]{20}H")),
    Http(),
    Http(method=("GET",)),
    Http(host=(Pattern("www.example.org"),)),
    Http(path=(Pattern("/f*"),)),
    Http(header={"user-agent": (Pattern("Wget*"),)}),
    Tls(),
    Tls(sni=(Pattern("*.example.org"),)),
    Tls(alpn=("h2",)),
    Ssh(),
)

matchers = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=4,
)
sources = st.sampled_from((SOURCE, ELSEWHERE))
ends = st.sampled_from((None, Cause.EOF, Cause.TIMEOUT))
openings = st.sampled_from(sorted(OPENINGS.values())) | noise(OPENINGS.values())


def table_of(
    *matchers: Matcher,
    limit: int = 65536,
    eager: bool = False,
    chosen: str = "fallback silent undecided",
) -> Table:
    """@return: routes named by their index, and the other ways that are chosen."""
    ways = {name: Way(name, Closing()) for name in chosen.split()}
    routes = [
        Route(matcher, Way(str(index), Closing()))
        for index, matcher in enumerate(matchers)
    ]
    return Table(
        routes,
        ways.get("fallback", Way("close", Closing(), chosen=False)),
        ways.get("silent"),
        ways.get("undecided"),
        limit,
        eager,
    )


@attrs.frozen
class Outcome:
    """What became of a connection. @ivar held: the bytes that an action gets."""

    way: str
    cause: Cause
    held: bytes
    reason: Reason | None


class Connection:
    """A client, as a session shows it to a table."""

    def __init__(self, table: Table, source: Address = SOURCE) -> None:
        self.table, self.source = table, source
        self.fed = b""
        self.sniffer: Sniffer | None = None
        self.outcome: Outcome | None = None
        self.settle(table.accept(source, LOCAL))

    def settle(self, decision: Decision | None) -> None:
        if decision is not None:
            held = self.fed if self.sniffer is None else self.sniffer.data
            reason = self.table.reason(decision, self.sniffer)
            self.outcome = Outcome(decision.way.name, decision.cause, held, reason)

    def feed(self, data: bytes) -> None:
        """Bytes behind the decision are the action's."""
        if self.outcome is not None:
            return
        self.fed += data
        if self.sniffer is not None:
            self.settle(self.sniffer.feed(data))
            return
        found = self.table.first(data, self.source, LOCAL)
        if isinstance(found, Sniffer):
            self.sniffer = found
        else:
            self.settle(found)

    def end(self, cause: Cause) -> None:
        if self.outcome is not None:
            return
        if self.sniffer is not None:
            self.settle(self.sniffer.give_up(cause))
        else:
            silent = Cause.SILENT if cause is Cause.TIMEOUT else cause
            self.settle(self.table.unheard(silent, self.source, LOCAL))


def decide(
    table: Table,
    segments: Sequence[bytes],
    end: Cause | None = None,
    source: Address = SOURCE,
) -> Outcome | None:
    """Let one client send these segments, and then fall silent or leave."""
    connection = Connection(table, source)
    for segment in segments:
        connection.feed(segment)
    if end is not None:
        connection.end(end)
    return connection.outcome


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """@return: C{data} in segments; any numbers are places to cut it at."""
    inner = {place % len(data) for place in places} if data else set()
    edges = sorted({0, len(data), *inner})
    return [data[start:end] for start, end in pairwise(edges)]


def single(data: bytes) -> list[bytes]:
    """@return: C{data} in segments of one octet each."""
    return [data[at : at + 1] for at in range(len(data))]


cuts = st.lists(st.integers(0, 5000), max_size=8)

Ended = tuple[str, Cause] | None
Decide = Callable[[Table, Sequence[bytes], "Cause | None", Address], "Outcome | None"]


def in_written_order(
    table: Table, data: bytes, end: Cause | None, source: Address
) -> Ended:
    """
    The rule itself, word by word, on all bytes at once.

    @return: the way and why; None while nothing is decided.
    """
    size = min(len(data), table.limit)
    given = [
        verdict_of(route.matcher, data[:size], source, LOCAL) for route in table.routes
    ]
    names = [route.way.name for route in table.routes]
    open_or_won = [
        index for index, verdict in enumerate(given) if verdict is not Verdict.NO
    ]
    first_yes = [
        name
        for name, verdict in zip(names, given, strict=True)
        if verdict is Verdict.YES
    ]
    if not open_or_won:
        return "fallback", Cause.NONE_LEFT
    if given[open_or_won[0]] is Verdict.YES:
        return names[open_or_won[0]], Cause.MATCH
    otherwise = [*first_yes, "fallback"][0]
    if size == table.limit:
        return otherwise, Cause.LIMIT
    if end is None:
        return None
    if not data:
        return ("close", end) if end is Cause.EOF else ("silent", Cause.SILENT)
    return (otherwise, end) if end is Cause.EOF else ("undecided", end)


def eagerly(table: Table, data: bytes, end: Cause | None, source: Address) -> Ended:
    """The same for I{eager} resolution, octet by octet."""
    heads = [head_of(b"", source, LOCAL) for _ in table.routes]
    for size in range(min(len(data), table.limit) + 1):
        for head in heads:
            head.data += data[size - 1 : size] if size else b""
        given = [
            judge(route.matcher, head)
            for route, head in zip(table.routes, heads, strict=True)
        ]
        if Verdict.YES in given:
            return table.routes[given.index(Verdict.YES)].way.name, Cause.MATCH
        if size and Verdict.MORE not in given:
            return "fallback", Cause.NONE_LEFT
    if len(data) >= table.limit:
        return "fallback", Cause.LIMIT
    if end is None:
        return None
    if end is Cause.EOF:
        return "close", end
    return ("undecided", end) if data else ("silent", Cause.SILENT)


class OrderTests(SynchronousTestCase):
    """The first route in written order wins, however the bytes were cut."""

    def check(
        self,
        decide: Decide,
        table: Table,
        segments: Sequence[bytes],
        end: Cause | None = None,
        source: Address = SOURCE,
    ) -> None:
        """A decision is what the rule says, and holds every byte once."""
        rule = eagerly if table.eager else in_written_order
        data = b"".join(segments)
        found = decide(table, segments, end, source)
        given = None if found is None else (found.way, found.cause)
        self.assertEqual(given, rule(table, data, end, source))
        if found is not None:
            self.assertTrue(data.startswith(found.held))
            edges = [len(b"".join(segments[:count])) for count in range(len(data) + 1)]
            self.assertIn(len(found.held), edges)

    @settings(max_examples=300)
    @given(
        st.lists(matchers, max_size=6),
        openings,
        cuts,
        st.integers(1, 3000) | st.just(65536),
        ends,
        sources,
    )
    def test_any_routes_any_cut(
        self,
        matchers: Sequence[Matcher],
        data: bytes,
        places: Sequence[int],
        limit: int,
        end: Cause | None,
        source: Address,
    ) -> None:
        """The winner is the same for any cut of the same bytes; none is lost."""
        table = table_of(*matchers, limit=limit)
        self.check(decide, table, cut(data, places), end, source)

    @settings(max_examples=200)
    @given(
        st.lists(matchers, max_size=6),
        openings.map(lambda data: data[:300]),
        cuts,
        st.integers(1, 400),
        ends,
        sources,
    )
    def test_eager(
        self,
        matchers: Sequence[Matcher],
        data: bytes,
        places: Sequence[int],
        limit: int,
        end: Cause | None,
        source: Address,
    ) -> None:
        """With eager resolution too; there the smallest complete offset wins."""
        table = table_of(*matchers, limit=limit, eager=True)
        self.check(decide, table, cut(data, places), end, source)

    def test_every_opening_octet_by_octet(self) -> None:
        """Real clients, through a table as people write it."""
        table = table_of(
            Ssh(),
            Tls(sni=(Pattern("git.*"),)),
            Tls(alpn=("http/1.1",)),
            Tls(),
            All((HERE, Http(host=(Pattern("*.org"),)))),
            Http(),
            Prefix((b"\0\x0e8",)),
        )
        for data in OPENINGS.values():
            self.check(decide, table, single(data), Cause.TIMEOUT)
            self.check(decide, table, [data], Cause.TIMEOUT)

    def test_overtaking_is_noticed(self) -> None:
        """A rule by which a sure route passes an unsure one fails this check."""

        def overtaking(
            table: Table, segments: Sequence[bytes], end: Cause | None, source: Address
        ) -> Outcome | None:
            held = b""
            for segment in segments:
                held += segment
                for route in table.routes:
                    if verdict_of(route.matcher, held, source) is Verdict.YES:
                        return Outcome(route.way.name, Cause.MATCH, held, None)
            return None

        table = table_of(Prefix((b"GET /admin",)), Prefix((b"GET ",)))
        data = b"GET /admin"
        self.check(overtaking, table, [data])
        for segments in ([b"GET /", b"admin"], single(data)):
            self.check(decide, table, segments)
            self.assertRaises(AssertionError, self.check, overtaking, table, segments)

    def test_a_lost_byte_is_noticed(self) -> None:
        """As is one that is held twice."""

        def careless(
            table: Table, segments: Sequence[bytes], end: Cause | None, source: Address
        ) -> Outcome | None:
            found = decide(table, segments, end, source)
            assert found is not None
            return attrs.evolve(found, held=found.held[:-1])

        table = table_of(Prefix((b"GET ",)))
        self.assertRaises(AssertionError, self.check, careless, table, [b"GE", b"T /"])


class WrittenOrderTests(SynchronousTestCase):
    """Single steps of the rule."""

    table = table_of(
        Prefix((b"\5",)), Prefix((b"GET /admin ",)), Prefix((b"GET ", b"HEAD "))
    )

    def ended(self, *segments: bytes, end: Cause | None = None) -> Ended:
        found = decide(self.table, segments, end)
        return None if found is None else (found.way, found.cause)

    def test_an_upper_route_is_waited_for(self) -> None:
        """One that matches does not overtake one above it that still may."""
        self.assertIsNone(self.ended(b"GET /ad"))
        self.assertEqual(self.ended(b"GET /ad", b"min x"), ("1", Cause.MATCH))

    def test_the_lower_one_wins_when_the_upper_says_no(self) -> None:
        """It has matched long since; nothing else is asked of it."""
        self.assertEqual(self.ended(b"GET /ad", b"ults"), ("2", Cause.MATCH))

    def test_lower_routes_are_not_waited_for(self) -> None:
        """What stands below a match does not matter, whatever it still could be."""
        table = table_of(Prefix((b"GET",)), Prefix((b"GET /index",)))
        found = decide(table, [b"GET"])
        self.assertEqual(found and found.way, "0")

    def test_nothing_left(self) -> None:
        """The moment the last route says NO, the fallback has the connection."""
        self.assertEqual(self.ended(b"S"), ("fallback", Cause.NONE_LEFT))
        self.assertEqual(self.ended(b"HE", b"LO"), ("fallback", Cause.NONE_LEFT))

    def test_final_answers_are_not_asked_for_again(self) -> None:
        """A route that said NO is left alone from then on."""
        asked: list[int] = []

        @attrs.frozen
        class Never:
            def match(self, head: Head) -> Verdict:
                asked.append(len(head.data))
                return Verdict.MORE if len(head.data) < 2 else Verdict.NO

            def why(self, head: Head) -> Reason:
                return Reason("never")

        decide(table_of(Never(), Prefix((b"x" * 9,))), single(b"x" * 8))
        self.assertLessEqual(asked.count(2), 1)
        self.assertFalse([size for size in asked if size > 2])


class LimitTests(SynchronousTestCase):
    """C{sniff.limit} is exact to the octet."""

    def ended(self, segments: Sequence[bytes], *matchers: Matcher) -> Ended:
        found = decide(table_of(*matchers, limit=4), segments)
        if found is None:
            return None
        self.assertEqual(found.held, b"".join(segments))
        return found.way, found.cause

    def test_below_it(self) -> None:
        self.assertIsNone(self.ended([b"abc"], Prefix((b"abcde",))))

    def test_at_it(self) -> None:
        """The last octet within it still may decide."""
        fits, does_not = Prefix((b"abcd",)), Prefix((b"abcde",))
        for segments in ([b"abcd"], [b"abc", b"d"], single(b"abcd")):
            self.assertEqual(self.ended(segments, fits), ("0", Cause.MATCH))
            self.assertEqual(self.ended(segments, does_not), ("fallback", Cause.LIMIT))

    def test_crossed_by_a_segment(self) -> None:
        """What lies behind it is held, and not looked at."""
        fits, does_not = Prefix((b"abcd",)), Prefix((b"abcde",))
        for segments in ([b"abcdef"], [b"abc", b"def"], [b"a", b"bcdefghijk"]):
            self.assertEqual(self.ended(segments, fits), ("0", Cause.MATCH))
            self.assertEqual(self.ended(segments, does_not), ("fallback", Cause.LIMIT))

    def test_a_lower_match_wins(self) -> None:
        """At the limit MORE counts as NO: the first of those that match."""
        routes = Prefix((b"abcde",)), Prefix((b"x",)), Prefix((b"ab",)), Prefix((b"a",))
        for segments in ([b"abcdef"], [b"abc", b"def"], single(b"abcd")):
            self.assertEqual(self.ended(segments, *routes), ("2", Cause.LIMIT))

    def test_undecided_is_about_time(self) -> None:
        """Who reaches the limit is not late."""
        found = decide(table_of(Prefix((b"abcde",)), limit=4), [b"abcd"])
        self.assertEqual(found and found.way, "fallback")

    def test_eager(self) -> None:
        """The same octet counts."""
        table = table_of(Prefix((b"abcd",)), Prefix((b"abcde",)), limit=4, eager=True)
        for segments in ([b"abcdef"], [b"abc", b"def"], single(b"abcd")):
            found = decide(table, segments)
            assert found is not None
            self.assertEqual((found.way, found.held), ("0", b"".join(segments)))


class AcceptTests(SynchronousTestCase):
    """What needs no bytes decides at accept."""

    def at_accept(self, table: Table, source: Address = SOURCE) -> Ended:
        found = Connection(table, source).outcome
        return None if found is None else (found.way, found.cause)

    def test_always(self) -> None:
        self.assertEqual(self.at_accept(table_of(Always())), ("0", Cause.MATCH))

    def test_source(self) -> None:
        """Those who come from elsewhere are asked for bytes."""
        table = table_of(HERE, Ssh())
        self.assertEqual(self.at_accept(table), ("0", Cause.MATCH))
        self.assertIsNone(self.at_accept(table, ELSEWHERE))

    def test_below_a_route_that_needs_bytes(self) -> None:
        """Written order holds without bytes, too."""
        self.assertIsNone(self.at_accept(table_of(Ssh(), Always())))
        self.assertIsNone(self.at_accept(table_of(AnyOf((Ssh(), Not(HERE))), Always())))

    def test_every_route_says_no(self) -> None:
        """No byte could change it: the fallback is decided at once."""
        table = table_of(Not(HERE), Not(Always()))
        self.assertEqual(self.at_accept(table), ("fallback", Cause.NONE_LEFT))
        self.assertEqual(self.at_accept(table_of()), ("fallback", Cause.NONE_LEFT))

    def test_all_of_source_and_bytes(self) -> None:
        """NO of one part is the whole's, and leaves the rest undisturbed."""
        table = table_of(All((HERE, Ssh())), Always())
        self.assertIsNone(self.at_accept(table))
        self.assertEqual(self.at_accept(table, ELSEWHERE), ("1", Cause.MATCH))

    def test_an_empty_prefix_needs_a_byte(self) -> None:
        """Any one will do."""
        table = table_of(Prefix((b"",)))
        self.assertIsNone(self.at_accept(table))
        found = decide(table, [b"\0"])
        self.assertEqual(found and (found.way, found.cause), ("0", Cause.MATCH))

    def test_eager(self) -> None:
        """No octet at all is the smallest offset, whatever stands above."""
        table = table_of(Ssh(), HERE, Always(), eager=True)
        self.assertEqual(self.at_accept(table), ("1", Cause.MATCH))
        self.assertEqual(self.at_accept(table, ELSEWHERE), ("2", Cause.MATCH))

    def test_eager_silence_never_means_none_left(self) -> None:
        """A portsplit file without patterns wants one byte before its fallback."""
        for table in (table_of(eager=True), table_of(Not(HERE), eager=True)):
            self.assertIsNone(self.at_accept(table))
            found = decide(table, [b"x"])
            assert found is not None
            self.assertEqual((found.way, found.held), ("fallback", b"x"))

    def test_its_reason_is_its_own(self) -> None:
        """Nothing of an earlier client's bytes stands in the record of a later one."""
        table = table_of(AnyOf((Tls(sni=(Pattern("*"),)), HERE)), Ssh())
        hello = OPENINGS["tls13-openssl"]
        before = decide(table, [hello], source=ELSEWHERE)
        assert before is not None and before.reason is not None
        self.assertEqual(before.reason.pattern, 0)
        self.assertIn("sni", dict(before.reason.facts))
        found = Connection(table).outcome
        assert found is not None and found.reason is not None
        self.assertEqual((found.reason.pattern, found.reason.facts), (1, ()))


class EagerTests(SynchronousTestCase):
    """The smallest complete offset wins, ties go by order."""

    def ended(self, table: Table, *segments: bytes, end: Cause | None = None) -> Ended:
        found = decide(table, segments, end)
        return None if found is None else (found.way, found.cause)

    def test_the_shorter_pattern(self) -> None:
        """In whichever order they are written, in one segment or in many."""
        long, short = Prefix((b"GET",)), Prefix((b"GE",))
        for segments in ([b"GET x"], single(b"GET x"), [b"GE", b"T x"]):
            for routes, winner in (((long, short), "1"), ((short, long), "0")):
                table = table_of(*routes, eager=True)
                self.assertEqual(self.ended(table, *segments), (winner, Cause.MATCH))

    def test_ties(self) -> None:
        """Equal patterns belong to the first one."""
        table = table_of(
            Prefix((b"x",)), Prefix((b"GE",)), Prefix((b"GE",)), eager=True
        )
        self.assertEqual(self.ended(table, b"GET"), ("1", Cause.MATCH))

    def test_an_empty_pattern(self) -> None:
        """It beats what needs two bytes, and not what needs one and stands above."""
        table = table_of(Prefix((b"GE", b"X")), Prefix((b"",)), eager=True)
        self.assertEqual(self.ended(table, b"GE"), ("1", Cause.MATCH))
        self.assertEqual(self.ended(table, b"X"), ("0", Cause.MATCH))

    def test_end_of_input_closes(self) -> None:
        """Whatever had come, and whatever it could have been."""
        table = table_of(Prefix((b"GET",)), eager=True)
        self.assertEqual(self.ended(table, b"GE", end=Cause.EOF), ("close", Cause.EOF))
        self.assertEqual(self.ended(table, end=Cause.EOF), ("close", Cause.EOF))

    def test_time_is_over(self) -> None:
        """One section of portsplit's gets both sorts, which are told apart."""
        table = table_of(Prefix((b"GET",)), eager=True)
        self.assertEqual(
            self.ended(table, b"GE", end=Cause.TIMEOUT), ("undecided", Cause.TIMEOUT)
        )
        self.assertEqual(self.ended(table, end=Cause.TIMEOUT), ("silent", Cause.SILENT))

    def test_the_pattern_that_was_complete_first(self) -> None:
        """Its index is recorded, for one segment as for many."""
        table = table_of(Prefix((b"HEAD", b"GETX", b"GET")), eager=True)
        for segments in ([b"GETX"], single(b"GETX")):
            found = decide(table, segments)
            assert found is not None and found.reason is not None
            self.assertEqual(found.reason.pattern, 2)


class EndTests(SynchronousTestCase):
    """When nothing more comes, or not in time."""

    def ended(
        self,
        end: Cause,
        *segments: bytes,
        chosen: str = "fallback silent undecided",
        routes: Sequence[Matcher] = (Prefix((b"GET /admin",)), Prefix((b"GET",))),
    ) -> Ended:
        found = decide(table_of(*routes, chosen=chosen), segments, end)
        return None if found is None else (found.way, found.cause)

    def test_end_of_input_before_any_byte(self) -> None:
        """It closes, whatever else is chosen or would match."""
        self.assertEqual(self.ended(Cause.EOF), ("close", Cause.EOF))
        both = Ssh(), Always()
        self.assertEqual(self.ended(Cause.EOF, routes=both), ("close", Cause.EOF))

    def test_end_of_input_after_bytes(self) -> None:
        """MORE counts as NO: the first that matches, then the fallback."""
        self.assertEqual(self.ended(Cause.EOF, b"GET /a"), ("1", Cause.EOF))
        self.assertEqual(self.ended(Cause.EOF, b"GE"), ("fallback", Cause.EOF))
        self.assertEqual(self.ended(Cause.EOF, b"GE", chosen=""), ("close", Cause.EOF))

    def test_silent(self) -> None:
        """No byte in time is another thing than too few of them."""
        self.assertEqual(self.ended(Cause.TIMEOUT), ("silent", Cause.SILENT))

    def test_without_silent(self) -> None:
        """The first route that needs no byte, then the fallback, then close."""
        chosen = "fallback undecided"
        both = Ssh(), Always()
        self.assertEqual(
            self.ended(Cause.TIMEOUT, chosen=chosen, routes=both), ("1", Cause.SILENT)
        )
        self.assertEqual(
            self.ended(Cause.TIMEOUT, chosen=chosen), ("fallback", Cause.SILENT)
        )
        self.assertEqual(self.ended(Cause.TIMEOUT, chosen=""), ("close", Cause.SILENT))

    def test_undecided(self) -> None:
        """Also where a route has matched below one that did not say."""
        self.assertEqual(
            self.ended(Cause.TIMEOUT, b"GET /a"), ("undecided", Cause.TIMEOUT)
        )

    def test_without_undecided(self) -> None:
        """The first route that matches once MORE counts as NO, fallback, close."""
        chosen = "fallback silent"
        for data, way in ((b"GET /a", "1"), (b"GE", "fallback")):
            self.assertEqual(
                self.ended(Cause.TIMEOUT, data, chosen=chosen), (way, Cause.TIMEOUT)
            )
        self.assertEqual(
            self.ended(Cause.TIMEOUT, b"GE", chosen=""), ("close", Cause.TIMEOUT)
        )

    def test_no_match_and_no_fallback(self) -> None:
        """Nobody chose this end: it is closing, and known not to be chosen."""
        table = table_of(Ssh(), chosen="")
        decision = table.first(b"x", SOURCE, LOCAL)
        assert isinstance(decision, Decision)
        self.assertEqual((decision.way.name, decision.way.chosen), ("close", False))


class ReasonTests(SynchronousTestCase):
    """What is known at the decision goes into the record."""

    def test_of_the_winner(self) -> None:
        """Pattern and facts of the route that won."""
        table = table_of(Ssh(), Tls(sni=(Pattern("x"), Pattern("*.org"))))
        found = decide(table, [OPENINGS["tls13-openssl"]])
        assert found is not None and found.reason is not None
        self.assertEqual(found.reason.pattern, 1)
        self.assertIn("sni", dict(found.reason.facts))

    def test_where_none_won(self) -> None:
        """What the routes read on the way, for those who look why."""
        table = table_of(Tls(sni=(Pattern("x"),)), Tls(alpn=("smtp",)))
        found = decide(table, [OPENINGS["tls13-openssl"]])
        assert found is not None and found.reason is not None
        self.assertEqual((found.way, found.reason.pattern), ("fallback", None))
        self.assertLessEqual({"sni", "alpn"}, set(dict(found.reason.facts)))

    def test_the_same_for_any_cut(self) -> None:
        """Also for one segment that is longer than the limit."""
        matchers = Prefix((b"\x16\3\1\2\3",)), Tls(sni=(Pattern("*"),))
        data = OPENINGS["tls13-openssl"]
        wholly = decide(table_of(*matchers), [data])
        assert wholly is not None
        self.assertEqual(decide(table_of(*matchers), single(data)), wholly)
        limited = decide(table_of(*matchers, limit=len(data)), [data + b"more"])
        assert limited is not None
        self.assertEqual(limited.reason, wholly.reason)
        eager = decide(table_of(*matchers, eager=True), [data])
        assert eager is not None
        self.assertEqual(eager.reason, wholly.reason)

    def test_of_silence(self) -> None:
        """There is nothing to tell."""
        found = decide(table_of(Ssh()), [], Cause.TIMEOUT)
        assert found is not None
        self.assertIsNone(found.reason)


class UnwantedTests(SynchronousTestCase):
    def test_unwanted(self) -> None:
        """Only what nothing fits counts: no probe, and nothing that has its way."""
        table = Table((), silent=Way("silent", Closing()))
        assert table.silent is not None
        fallback = Decision(table.fallback, Cause.NONE_LEFT)
        self.assertTrue(table.unwanted(fallback, True))
        self.assertTrue(table.unwanted(Decision(table.fallback, Cause.SILENT), False))
        self.assertTrue(table.unwanted(Decision(table.closed, Cause.EOF), True))
        self.assertFalse(table.unwanted(Decision(table.closed, Cause.EOF), False))
        self.assertFalse(table.unwanted(Decision(table.silent, Cause.SILENT), False))
        matched = Decision(table.fallback, Cause.MATCH, Always())
        self.assertFalse(table.unwanted(matched, True))


class SharingTests(SynchronousTestCase):
    """One head serves all connections that their first segment decides."""

    @settings(max_examples=150)
    @given(
        st.lists(matchers, min_size=1, max_size=4),
        st.lists(st.tuples(openings, cuts, ends, sources), min_size=2, max_size=5),
        st.lists(st.integers(0, 4), max_size=40),
        st.booleans(),
    )
    def test_connections_do_not_meet(
        self,
        matchers: Sequence[Matcher],
        clients: Sequence[tuple[bytes, list[int], Cause | None, Address]],
        turns: Sequence[int],
        eager: bool,
    ) -> None:
        """Interleaved in any way, each ends as if it were alone: reason and all."""
        clients = [(data[:200], *rest) for data, *rest in clients]  # type: ignore[misc]
        alone = [
            decide(table_of(*matchers, eager=eager), cut(data, places), end, source)
            for data, places, end, source in clients
        ]
        table = table_of(*matchers, eager=eager)
        waiting = [cut(data, places) for data, places, _, _ in clients]
        live: dict[int, Connection] = {}
        for turn in (*turns, *(n for n in range(len(clients)) for _ in range(12))):
            number = turn % len(clients)
            _, _, end, source = clients[number]
            if number not in live:
                live[number] = Connection(table, source)
            elif waiting[number]:
                live[number].feed(waiting[number].pop(0))
            elif end is not None:
                live[number].end(end)
        self.assertEqual([live[n].outcome for n in range(len(clients))], alone)

    def test_no_object_for_a_first_segment_that_decides(self) -> None:
        """Also where a source was asked before, and where nothing matches."""
        table = table_of(All((Not(HERE), Ssh())), Ssh(), Prefix((b"GET",)))
        segments = [
            OPENINGS[name] for name in ("ssh-openssh", "http11-curl", "rdp-cookie")
        ]

        def serve() -> None:
            for _ in range(300):
                for segment in segments:
                    assert table.accept(SOURCE, LOCAL) is None
                    assert isinstance(table.first(segment, SOURCE, LOCAL), Decision)

        serve()
        self.assertLess(octets_kept(serve), 1000)

    def test_one_head(self) -> None:
        """It is the same, at accept as with bytes, until a connection needs its own."""
        heads: list[Head] = []

        @attrs.frozen
        class Looking:
            def match(self, head: Head) -> Verdict:
                heads.append(head)
                return Verdict.NO if head.data[:1] == b"n" else Verdict.MORE

            def why(self, head: Head) -> Reason:
                return Reason("looking")

        table = table_of(Looking())
        for _ in range(3):
            decide(table, [b"no"])
        self.assertEqual(len({id(head) for head in heads}), 1)
        waits = Connection(table)
        waits.feed(b"yes")
        decide(table, [b"no"])
        assert waits.sniffer is not None
        self.assertIsNot(heads[-1], waits.sniffer.head)
        self.assertEqual(waits.sniffer.data, b"yes")

    def test_ways(self) -> None:
        """All that a connection can come to, routes first."""
        table = table_of(Ssh(), Always(), chosen="fallback undecided")
        names = [way.name for way in table.ways()]
        self.assertEqual(names, ["0", "1", "fallback", "undecided", "close"])


class WorkTests(SynchronousTestCase):
    """Work is linear in the bytes, however they are cut, with any number of routes."""

    def check(self, data: bytes, *matchers: Matcher, eager: bool = False) -> None:
        """Single octets at the end of C{data} cost what those near its start do."""
        table = table_of(*matchers, eager=eager)
        sniffer = table.first(data[:1], SOURCE, LOCAL)
        assert isinstance(sniffer, Sniffer)
        buffer = sniffer.head.data = CountingBuffer(sniffer.head.data)

        def feed(count: int) -> None:
            for octet in single(data[len(buffer) :][:count]):
                if sniffer.feed(octet) is not None:
                    raise AssertionError(f"decided after {len(buffer)} octets")

        def work(count: int) -> int:
            before = buffer.octets
            return steps(lambda: feed(count)) + buffer.octets - before

        few = len(data) // 32
        feed(few)
        early = work(few)
        feed(len(data) - len(buffer) - few)
        late = work(few)
        self.assertEqual(len(buffer), len(data))
        self.assertLess(late, 1.1 * early)

    head = b"GET / HTTP/1.1\r\n" + b"X-Field: some value\r\n" * 3300

    def routes(self, data: bytes) -> list[Matcher]:
        """@return: ten that cannot decide on C{data}."""
        return [
            Prefix((data + b"x",)),
            Prefix((b"no", data + b"y")),
            Regex(("GET [^\\0]*\\0",)),
            Regex(
                ("(G|GE|GET ?)+[^\\0]*x\\0", "GET (/|[ -~])*HTTP/1[.]1\r\n[^\\0]*\\0")
            ),
            Http(host=(Pattern("a*b*c"),)),
            Http(header={"upgrade": (Pattern("websocket"),)}),
            All((HERE, Http(path=(Pattern("/*"),), host=(Pattern("x"),)))),
            Not(Regex(("GET[^\\0]*\\0",))),
            AnyOf((Ssh(), Tls(), Prefix((data + b"z",)))),
            All((Http(host=(Pattern("y"),)), Regex(("GET[^\\0]*\\0",)))),
        ]

    def test_64_kib_with_ten_routes(self) -> None:
        """Octet by octet."""
        data = self.head[:65528]
        self.check(data, *self.routes(data))

    def test_64_kib_with_ten_routes_eagerly(self) -> None:
        """With eager resolution, too."""
        data = self.head[:65528]
        self.check(data, *self.routes(data), eager=True)

    def test_one_segment_with_ten_routes_eagerly(self) -> None:
        """Eager resolution looks at its octets one by one; that is all."""
        data = self.head[:4096]
        table = table_of(*self.routes(data), eager=True)
        few = steps(lambda: table.first(data[:512], SOURCE, LOCAL))
        many = steps(lambda: table.first(data, SOURCE, LOCAL))
        self.assertLess(many, 9 * few)

    def test_tls_records_of_one_byte(self) -> None:
        """Ten routes by name share one parse of 19 KB of them."""
        start = b"\1\0\xf0\0" + b"\3\3" + bytes(32) + b"\0" + b"\xe0\0"
        hello = start + bytes(3200)  # a list of ciphers that does not end
        records = b"".join(b"\x16\3\1\0\1" + hello[at : at + 1] for at in range(3166))
        names = [Tls(sni=(Pattern(f"{number}.org"),)) for number in range(10)]
        self.check(records[:18_992], *names)

    def test_quadratic_work_is_noticed(self) -> None:
        """A matcher that begins anew at each octet fails this check."""

        @attrs.frozen
        class Anew:
            def match(self, head: Head) -> Verdict:
                return Verdict.of(0 in bytes(head.data[:])) and Verdict.MORE

            def why(self, head: Head) -> Reason:
                return Reason("anew")

        self.assertRaises(AssertionError, self.check, b"x" * 4096, Anew())
