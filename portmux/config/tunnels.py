"""The options of tunnels; L{portmux.config.model} has all others."""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeVar

import attrs

from portmux.config.checks import PATH, Clashes, Given, hold, positive
from portmux.config.sources.tunnel import Options, Tunnel
from portmux.core.address import Host
from portmux.core.option import Seconds, at_least, option
from portmux.core.strategies import Strategy

T = TypeVar("T")

LEAST: Final = 0.001
"""Seconds of an attempt to connect: plexy takes 0, which no backend can keep."""

EVERY: Final = 1 << 16
"""Remotes of a tunnel that may be dead at a time: as in plexy, all of them."""


@attrs.frozen
class Tunnels:
    """Listeners with one route that forwards, in plexy's syntax."""

    open: tuple[Tunnel, ...] = option(
        "local socket, its remotes, and options in brackets; a bare port is one of "
        "127.0.0.1",
        default=(),
        value=True,
        example='["3000=3001,3002[strategy=round-robin]"]',
    )
    timeout: Seconds = option(
        "time of one attempt to connect, where a tunnel does not say timeout",
        default=Seconds(10.0),
        check=at_least(0),
        example="1500ms",
    )
    retries: int = option(
        "attempts to connect for each client, where a tunnel does not say retries",
        default=3,
        check=at_least(0),
        example="5",
    )
    errors: int = option(
        "failures in a row after which a remote is not used for a while, where a "
        "tunnel does not say errors",
        default=1,
        check=at_least(0),
        example="3",
    )
    check_interval: Seconds = option(
        "time until such a remote is tried again, where a tunnel does not say "
        "check-interval",
        default=Seconds(10.0),
        check=positive,
        example="5s",
    )
    ca_bundle: str | None = option(
        "file of certificates, in PEM, that remotes of tunnels with remote-tls must "
        "come from; none: the system's",
        default=None,
        check=PATH,
        example="/etc/portmux/ca.pem",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    def whole(self, tunnel: Tunnel) -> Options:
        """@return: its options as they were given, by it or for all tunnels."""
        options = tunnel.options
        return Options(
            strategy=_given(options.strategy, Strategy.RANDOM),
            retries=_given(options.retries, self.retries),
            timeout=_given(options.timeout, self.timeout),
            errors=_given(options.errors, self.errors),
            check_interval=_given(options.check_interval, self.check_interval),
            remote_tls=_given(options.remote_tls, False),
        )

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        seen: Counter[Host] = Counter()
        for index, each in enumerate(given.get("open", ())):
            seen[each.local] += 1
            if seen[each.local] > 1:
                path = ("open", str(index))
                yield path, f"there is a tunnel at {each.local} already, one is allowed"


def _given(option: T | None, default: T) -> T:
    return default if option is None else option
