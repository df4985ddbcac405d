"""
Which of several backends gets the next session.

Each strategy is a function of the backends that may have it (two or more, in
configured order) and of the session's source. A weight of n is a part n times as
large as that of 1; slow start is a weight that grows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from math import ceil, log
from random import Random
from typing import Final

from portmux.core.backend import Backend

BOUND: Final = 1.25
"""A backend has at most so many times its part of the sessions before source-hash
passes it over (Mirrokni, Thorup, Zadimoghaddam: Consistent Hashing with Bounded
Loads, 2016; a quarter is what their article measures)."""


FEW: Final = 8
"""Sessions that source-hash gives a backend whatever part that is (taste): a client
opens some at a time, and where little is going on each would be too many."""


class Strategy(Enum):
    """How a pool chooses; the values are the names in a file."""

    FIRST_AVAILABLE = "first-available"
    RANDOM = "random"
    POWER_OF_TWO = "power-of-two"
    ROUND_ROBIN = "round-robin"
    LEAST_CONNECTIONS = "least-connections"
    LEAST_REQUESTS = "least-requests"
    SOURCE_HASH = "source-hash"


ALIASES: Final[Mapping[str, Strategy]] = {
    "roundrobin": Strategy.ROUND_ROBIN,
    "minimum-open-connections": Strategy.LEAST_CONNECTIONS,
    "minimumopenconnections": Strategy.LEAST_CONNECTIONS,
    "min-open-connections": Strategy.LEAST_CONNECTIONS,
    "minopenconnections": Strategy.LEAST_CONNECTIONS,
}
"""Other spellings, plexy's; C{_} is also C{-}, and case does not matter."""

Choose = Callable[[Sequence[Backend], str | None, float], Backend]
"""Given the backends, the session's source if that matters, and the time."""


def spelled(text: str) -> Strategy | None:
    """@return: the strategy that is called so, in any of its spellings."""
    word = text.lower().replace("_", "-")
    if word in ALIASES:
        return ALIASES[word]
    return next((one for one in Strategy if one.value == word), None)


def chooser(strategy: Strategy, random: Random) -> Choose:
    """@param random: where a strategy has dice to throw."""
    match strategy:
        case Strategy.RANDOM:
            return lambda backends, _, now: _random(backends, random, now)
        case Strategy.POWER_OF_TWO:
            return lambda backends, _, now: _power_of_two(backends, random, now)
        case _:
            return _PURE[strategy]


def _first(backends: Sequence[Backend], source: str | None, now: float) -> Backend:
    return backends[0]


def _random(backends: Sequence[Backend], random: Random, now: float) -> Backend:
    shares = [backend.share(now) for backend in backends]
    if min(shares) == max(shares):
        return backends[int(random.random() * len(backends))]
    return random.choices(backends, shares)[0]


def _power_of_two(backends: Sequence[Backend], random: Random, now: float) -> Backend:
    """Two by chance, and of them the one with fewer sessions."""
    one = _random(backends, random, now)
    other = _random([each for each in backends if each is not one], random, now)
    return one if _load(one, now) <= _load(other, now) else other


def _round_robin(
    backends: Sequence[Backend], source: str | None, now: float
) -> Backend:
    """
    Smooth: of weights 2 and 1, the sequence is first, second, first.

    Each is owed its share at every choice, and who is owed most pays for all.
    """
    total, chosen = 0.0, backends[0]
    for backend in backends:
        share = backend.share(now)
        backend.credit += share
        total += share
        if backend.credit > chosen.credit:
            chosen = backend
    chosen.credit -= total
    return chosen


def _least_connections(
    backends: Sequence[Backend], source: str | None, now: float
) -> Backend:
    """Of those with equally few, the one that was chosen longest ago."""
    return min(backends, key=lambda backend: (_load(backend, now), backend.turn))


def _least_requests(
    backends: Sequence[Backend], source: str | None, now: float
) -> Backend:
    return min(backends, key=lambda backend: backend.given / backend.share(now))


def _source_hash(
    backends: Sequence[Backend], source: str | None, now: float
) -> Backend:
    """
    Rendezvous: each backend draws a number for the source, the highest has it.

    When a backend goes, only its sources move; when one comes, only those that
    it takes over. One that has too many sessions already is passed over.
    """
    if source is None:
        return _least_connections(backends, None, now)
    shares = [backend.share(now) for backend in backends]
    part = (1 + sum(backend.active for backend in backends)) / sum(shares)
    free = [
        (-share / log(backend.draw(source)), at)
        for at, (backend, share) in enumerate(zip(backends, shares, strict=True))
        if backend.active < max(FEW, ceil(BOUND * part * share))
    ]
    return backends[max(free)[1]]


def _load(backend: Backend, now: float) -> float:
    """What a backend would have for its weight with one session more."""
    return (backend.active + 1) / backend.share(now)


_PURE: Final[Mapping[Strategy, Choose]] = {
    Strategy.FIRST_AVAILABLE: _first,
    Strategy.ROUND_ROBIN: _round_robin,
    Strategy.LEAST_CONNECTIONS: _least_connections,
    Strategy.LEAST_REQUESTS: _least_requests,
    Strategy.SOURCE_HASH: _source_hash,
}
