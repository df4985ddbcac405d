"""
Tell which way given bytes take through a listener's routes, and why.

What decides here is what decides live connections, L{portmux.core.sniff}: an
explanation cannot differ from what happens. Verdicts are final, so how many
octets one took is found by bisection, not by a call for each octet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from random import Random
from typing import Final

import attrs

from portmux.core.address import Address
from portmux.core.head import Head, Reason, Verdict, judge
from portmux.core.sniff import Cause, Decision, Route, Sniffer, Table

RANDOM_CUTS: Final = 200
"""Segmentations made by chance, from taste; the same ones at every call."""

MOST_SINGLE: Final = 4096
"""Places at which one cut is tried; from taste: some seconds of work."""


@attrs.frozen
class Client:
    """
    @ivar source: where it is.
    @ivar local: the address that it connected to.
    @ivar at: when it was accepted, seconds since 1970.
    """

    source: Address
    local: Address
    at: float = 0.0


@attrs.frozen
class Row:
    """
    What one route says of the bytes, whatever the routes around it say.

    @ivar octets: after how many the verdict was final; None while it is MORE.
    @ivar reason: why it was then; with the facts that all octets tell.
    @ivar won: the decision fell for this route.
    """

    route: str
    verdict: Verdict
    octets: int | None
    reason: Reason
    won: bool = False


@attrs.frozen
class Trace:
    """
    @ivar decision: None while the bytes decide nothing.
    @ivar octets: how many it took; all that came where there is none.
    @ivar at_eof: what becomes of it when the client ends now; None when decided.
    @ivar at_timeout: what becomes of it when no more comes; None when decided.
    """

    rows: tuple[Row, ...]
    decision: Decision | None
    octets: int
    at_eof: Decision | None = None
    at_timeout: Decision | None = None


@attrs.frozen
class Cuts:
    """
    @ivar tried: in how many ways the bytes were cut into segments.
    @ivar differing: the sizes of segments that gave another outcome; None: none.
    """

    tried: int
    differing: tuple[int, ...] | None = None


def explain(table: Table, data: bytes, client: Client) -> Trace:
    """@param data: all that the client sends; nothing: it is silent."""
    decision = _early(table, data, client)
    octets = len(data)
    if decision is not None:
        octets = _least(
            octets, lambda size: _early(table, data[:size], client) is not None
        )
        return Trace(_rows(table, data, client, decision), decision, octets)
    rows = _rows(table, data, client, None)
    at_eof = _late(table, data, client, Cause.EOF)
    at_timeout = _late(table, data, client, Cause.TIMEOUT)
    return Trace(rows, None, octets, at_eof, at_timeout)


def try_cuts(table: Table, data: bytes, client: Client) -> Cuts:
    """
    Cut the bytes in many ways; each must lead to the same end, at the same octet.

    Each single cut (of very many: as many as L{MOST_SINGLE}, evenly spread),
    octet by octet, and C{RANDOM_CUTS} ways by chance.
    """
    trace = explain(table, data, client)
    expected = _outcome(table, _fed(table, [data], client), client)
    tried = 1
    for sizes in _segmentations(len(data)):
        tried += 1
        found = _fed(table, _cut(data, sizes), client)
        decided = isinstance(found, Decision)
        if _outcome(table, found, client) != expected or (
            decided and not _in_time(table, data, sizes, client, trace)
        ):
            return Cuts(tried, sizes)
    return Cuts(tried)


def _rows(
    table: Table, data: bytes, client: Client, decision: Decision | None
) -> tuple[Row, ...]:
    data = data[: table.limit]
    way = None if decision is None else decision.way
    return tuple(_row(route, data, client, route.way is way) for route in table.routes)


def _row(route: Route, data: bytes, client: Client, won: bool) -> Row:
    matcher = route.matcher

    def verdict_of(size: int) -> Verdict:
        return judge(matcher, _head(data[:size], client))

    verdict = verdict_of(len(data))
    octets = None
    if verdict is not Verdict.MORE:
        octets = _least(len(data), lambda size: verdict_of(size) is not Verdict.MORE)
    reason = matcher.why(_head(data[:octets], client))
    facts = matcher.why(_head(data, client)).facts
    reason = Reason(reason.text, reason.pattern, facts)
    return Row(route.way.name, verdict, octets, reason, won)


def _head(data: bytes, client: Client) -> Head:
    return Head(bytearray(data), client.source, client.local, client.at)


def _least(most: int, so: Callable[[int], bool]) -> int:
    """@return: the least number up to C{most} that it is so for, as for all above."""
    return bisect_left(range(most + 1), True, key=so)


# -- what the engines do


def _early(table: Table, data: bytes, client: Client) -> Decision | None:
    """@return: the decision, if the bytes are enough for one."""
    found = _fed(table, [data], client)
    return found if isinstance(found, Decision) else None


def _late(table: Table, data: bytes, client: Client, cause: Cause) -> Decision:
    return _given_up(table, _fed(table, [data], client), client, cause)


def _fed(
    table: Table, segments: Iterable[bytes], client: Client
) -> Decision | Sniffer | None:
    """@return: None when no byte has come and none is needed for an answer."""
    given = client.source, client.local, client.at
    found: Decision | Sniffer | None = table.accept(*given)
    for segment in filter(None, segments):
        if isinstance(found, Decision):
            break
        if found is None:
            found = table.first(segment, *given)
        else:
            found = found.feed(segment) or found
    return found


def _given_up(
    table: Table, found: Decision | Sniffer | None, client: Client, cause: Cause
) -> Decision:
    if isinstance(found, Decision):
        return found
    if found is not None:
        return found.give_up(cause)
    unheard = Cause.SILENT if cause is Cause.TIMEOUT else cause
    return table.unheard(unheard, client.source, client.local, client.at)


# -- cuts


def _segmentations(size: int) -> Iterator[tuple[int, ...]]:
    """@return: sizes of segments, in each case adding up to C{size}."""
    last = size - 1
    for at in range(1, size, max(1, -(-last // MOST_SINGLE))):
        yield at, size - at
    if size > 1:
        yield (1,) * size
    chance = Random(size)
    for _ in range(RANDOM_CUTS if last > 1 else 0):
        count = chance.randint(2, min(last, 16))
        places = [0, *sorted(chance.sample(range(1, size), count)), size]
        yield tuple(after - at for at, after in pairwise(places))


def _cut(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size


def _outcome(
    table: Table, found: Decision | Sniffer | None, client: Client
) -> tuple[tuple[str, Cause], ...]:
    """@return: way and cause, as they are, at the end of input, and in time."""
    given = (_given_up(table, found, client, c) for c in (Cause.EOF, Cause.TIMEOUT))
    return tuple((decision.way.name, decision.cause) for decision in given)


def _in_time(
    table: Table, data: bytes, sizes: Sequence[int], client: Client, trace: Trace
) -> bool:
    """@return: whether the segment with the last octet that was needed decided."""
    have = list(accumulate(sizes, initial=0))
    last = bisect_left(have, trace.octets)
    before = _fed(table, _cut(data, sizes[: last - 1] if last else ()), client)
    after = _fed(table, _cut(data, sizes[:last]), client)
    too_soon = isinstance(before, Decision) and trace.octets > 0
    return isinstance(after, Decision) and not too_soon
