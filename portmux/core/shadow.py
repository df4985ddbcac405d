"""
Prove that a route can never win, from the matchers alone.

One matcher I{implies} another when, whatever a client sends and wherever it
is, a YES of the one comes with a YES of the other at the same octet. A route
that implies those above it cannot win, in either resolution, nor when time is
up. What cannot be proven is not claimed, and kinds of matchers that extensions
bring are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from portmux.core.address import Host
from portmux.core.head import Head, Matcher, Verdict, judge
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
from portmux.core.match.time import Time
from portmux.core.match.tls import Tls
from portmux.core.narrower import is_narrower

_MOST: Final = 64
"""Beginnings that are followed, and octets of each: from taste."""

_OCTETS: Final = tuple(bytes((octet,)) for octet in range(256))
_NOWHERE: Final = Host("0.0.0.0", 0)

_OF_BYTES: Final = (Always, Http, Prefix, Regex, Ssh, Tls)
"""Kinds that look at nothing but bytes."""

_LEAVES: Final = (*_OF_BYTES, Local, Source, Time)

_ALTERNATIVES: Final[Mapping[type[Any], str]] = {
    Http: "host",
    Local: "address",
    Prefix: "patterns",
    Regex: "patterns",
    Source: "address",
    Tls: "sni",
}
"""Options of which one value is enough."""


@attrs.frozen
class Shadow:
    """
    A route that can never win.

    @ivar route: its index.
    @ivar by: indices of routes above it that together match all that it does;
        none: it can match nothing at all.
    """

    route: int
    by: tuple[int, ...]


def shadows(matchers: Sequence[Matcher]) -> list[Shadow]:
    """@param matchers: of a listener's routes, in order."""
    prover = Prover()
    return [
        Shadow(index, by)
        for index, matcher in enumerate(matchers)
        if (by := prover.shadow(matcher, matchers[:index])) is not None
    ]


@attrs.define(eq=False)
class Prover:
    """
    Remembers what it has found out about matchers, and so keeps them.

    @ivar _known: by identity, a matcher and its beginnings.
    """

    _known: dict[int, tuple[Matcher, Sequence[bytes]]] = attrs.field(factory=dict)

    def shadow(
        self, matcher: Matcher, above: Sequence[Matcher]
    ) -> tuple[int, ...] | None:
        """@return: see L{Shadow}; None: nothing is proven."""
        if self.impossible(matcher):
            return ()
        for index, other in enumerate(above):
            if self.implies(matcher, other):
                return (index,)
        found: set[int] = set()
        for part in _alternatives(matcher):
            if part is matcher:
                return None
            hits = (i for i, other in enumerate(above) if self.implies(part, other))
            hit = next(hits, None)
            if hit is None:
                return None
            found.add(hit)
        return tuple(sorted(found))

    def impossible(self, matcher: Matcher) -> bool:
        """@return: it is proven that the matcher never says YES."""
        if isinstance(matcher, All):
            of_bytes = tuple(part for part in matcher.matchers if _asks_bytes(part))
            if of_bytes and not _beginnings(All(of_bytes)):
                return True
            return any(self.impossible(part) for part in matcher.matchers)
        if isinstance(matcher, AnyOf):
            return all(self.impossible(part) for part in matcher.matchers)
        return _asks_bytes(matcher) and not self._beginnings(matcher)

    def implies(self, one: Matcher, other: Matcher) -> bool:
        """@return: it is proven that a YES of C{one} comes with one of C{other}."""
        if isinstance(other, Always):
            return True
        if isinstance(one, AnyOf):
            return all(self.implies(part, other) for part in one.matchers)
        if isinstance(other, All):
            return all(self.implies(one, part) for part in other.matchers)
        parts = one.matchers if isinstance(one, All) else ()
        choices = other.matchers if isinstance(other, AnyOf) else ()
        return (
            any(self.implies(part, other) for part in parts)
            or any(self.implies(one, choice) for choice in choices)
            or self._negations(one, other)
            or (type(one) in _LEAVES and one == other)
            or is_narrower(one, other)
            or self._by_beginnings(one, other)
        )

    def _negations(self, one: Matcher, other: Matcher) -> bool:
        """
        Where C{other} implies C{one}, a NO of C{one} is a NO of C{other} in the end.

        At once it is one for matchers that need no octet.
        """
        if not (isinstance(one, Not) and isinstance(other, Not)):
            return False
        if isinstance(one.matcher, Source | Local):
            same = type(one.matcher) is type(other.matcher)
            return same and self.implies(other.matcher, one.matcher)
        return type(one.matcher) in _LEAVES and one == other

    def _by_beginnings(self, one: Matcher, other: Matcher) -> bool:
        """A verdict on some octets is final: what follows them does not matter."""
        if not (_asks_bytes(one) and _asks_bytes(other)):
            return False
        starts = self._beginnings(one)
        return all(_verdict(other, start) is Verdict.YES for start in starts)

    def _beginnings(self, matcher: Matcher) -> Sequence[bytes]:
        known = self._known.get(id(matcher))
        if known is None:
            known = self._known[id(matcher)] = matcher, _beginnings(matcher)
        return known[1]


def _alternatives(matcher: Matcher) -> Iterator[Matcher]:
    """@return: matchers of which one says YES whenever this one does."""
    if isinstance(matcher, AnyOf):
        for part in matcher.matchers:
            yield from _alternatives(part)
        return
    name = _ALTERNATIVES.get(type(matcher), "")
    values: tuple[Any, ...] = getattr(matcher, name) if name else ()
    if len(values) < 2:
        yield matcher
        return
    changing: Any = matcher
    for value in values:
        yield attrs.evolve(changing, **{name: (value,)})


# -- by first octets


def _asks_bytes(matcher: Matcher) -> bool:
    if isinstance(matcher, All | AnyOf):
        return all(_asks_bytes(part) for part in matcher.matchers)
    if isinstance(matcher, Not):
        return _asks_bytes(matcher.matcher)
    return type(matcher) in _OF_BYTES


def _beginnings(matcher: Matcher) -> Sequence[bytes]:
    """@return: octets with one of which all begins that the matcher says YES to."""
    if isinstance(matcher, Prefix) and b"" not in matcher.patterns:
        return matcher.patterns
    found = [b""]
    for depth in range(_MOST):
        further = _longer(matcher, found, _MOST if depth else 256)
        if further is None or further == found:
            break
        found = further
    return found


def _longer(matcher: Matcher, starts: Sequence[bytes], most: int) -> list[bytes] | None:
    """@return: the beginnings with one more octet each that needs one; None: many."""
    further: list[bytes] = []
    for start in starts:
        verdict = _verdict(matcher, start)
        if verdict is Verdict.YES:
            further.append(start)
        elif verdict is Verdict.MORE:
            longer = (start + octet for octet in _OCTETS)
            further += (s for s in longer if _verdict(matcher, s) is not Verdict.NO)
        if len(further) > most:
            return None
    return further


def _verdict(matcher: Matcher, data: bytes) -> Verdict:
    return judge(matcher, Head(bytearray(data), _NOWHERE, _NOWHERE))
