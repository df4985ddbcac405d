"""The options of limits; L{portmux.config.model} has all others."""

from __future__ import annotations

import attrs

from portmux.config.checks import positive
from portmux.core.option import Seconds, at_least, option


@attrs.frozen
class Ban:
    """Refuse a source for a while after repeated failed sniffs."""

    failures: int = option(
        "failed sniffs that ban a source", value=True, check=at_least(1), example="10"
    )
    within: Seconds = option(
        "time in which they are counted",
        default=60.0,
        check=positive,
        example="1m",
    )
    duration: Seconds = option(
        "how long the source is refused",
        default=600.0,
        check=positive,
        example="1h",
    )


@attrs.frozen
class Limits:
    """A listener's limits; a source is an IPv4 address or an IPv6 /64."""

    connections: int | None = option(
        "most live connections; more are closed at once",
        default=None,
        check=at_least(1),
        example="1000",
    )
    per_source: int | None = option(
        "most live connections of one source",
        default=None,
        check=at_least(1),
        example="50",
    )
    rate: float | None = option(
        "most new connections of one source in a second",
        default=None,
        check=positive,
        example="10",
    )
    ban: Ban | None = option(
        "refuse a source after repeated failed sniffs",
        default=None,
        example="{failures: 10, within: 1m, duration: 1h}",
    )


@attrs.frozen
class RouteLimits:
    """A route's limits."""

    connections: int | None = option(
        "most live connections of this route; more are closed at once",
        default=None,
        check=at_least(1),
        example="100",
    )


@attrs.frozen
class GlobalLimits:
    """Limits of the whole program."""

    connections: int | None = option(
        "most live connections of all listeners; more are closed at once",
        default=None,
        check=at_least(1),
        example="10000",
    )
