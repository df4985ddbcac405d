"""The options of tunnels; L{portmux.config.model} has all others."""

from __future__ import annotations

from collections import Counter

import attrs

from portmux.config.checks import PATH, Clashes, Given, hold, positive
from portmux.config.sources.tunnel import Tunnel
from portmux.core.address import Host
from portmux.core.option import Seconds, at_least, option


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

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        seen: Counter[Host] = Counter()
        for index, each in enumerate(given.get("open", ())):
            seen[each.local] += 1
            if seen[each.local] > 1:
                path = ("open", str(index))
                yield path, f"there is a tunnel at {each.local} already, one is allowed"
