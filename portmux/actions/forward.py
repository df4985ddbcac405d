"""Forward the connection to a backend."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import attrs

from portmux.config.checks import Clashes, Given, addresses, hold, some
from portmux.config.pools import Connect, Eject, Tls, nameless
from portmux.config.values import PoolName
from portmux.core.address import Address
from portmux.core.option import option
from portmux.core.plan import Forwarding
from portmux.core.pool import Pool, Settings
from portmux.core.reach import PLAIN, Reach
from portmux.core.registry import Registry
from portmux.core.strategies import Strategy


@attrs.frozen
class Forward:
    """The connection goes on to a backend; the bytes seen so far go first."""

    to: tuple[Address, ...] = option(
        "backends; without a strategy, tried in this order until one can be "
        "connected to",
        default=(),
        value=True,
        check=some("a backend"),
        example='["127.0.0.1:8080", "unix:/run/app.sock"]',
    )
    pool: PoolName | None = option(
        "a pool, in place of backends; none: there are backends",
        default=None,
        example="git",
    )
    strategy: Strategy = option(
        "which backend gets the next session",
        default=Strategy.FIRST_AVAILABLE,
        example="round-robin",
    )
    connect: Connect = option("attempts and their time", factory=Connect)
    eject: Eject | None = option(
        "when a backend gets no more sessions; none: never", default=None, example="3"
    )
    tls: Tls | None = option(
        "speak TLS to the backends; none: what clients send goes on as it is",
        default=None,
        example="{ca-bundle: /etc/portmux/ca.pem}",
    )
    source: tuple[str, ...] = option(
        "IP addresses of this machine that connections come from, by turns; none "
        "given: the system chooses",
        default=(),
        check=addresses,
        example='["192.0.2.1", "192.0.2.2"]',
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    def plan(self) -> Forwarding:
        if self.pool is not None:
            return Forwarding(Pool.of((), name=self.pool), source=self.source)
        settings = Settings(
            self.strategy,
            self.connect.timeout,
            self.connect.attempts,
            None if self.eject is None else self.eject.rule(),
            reach=PLAIN if self.tls is None else Reach(self.tls.wanted()),
        )
        return Forwarding(Pool.of(self.to, settings), source=self.source)

    @staticmethod
    def moot(given: Container[str]) -> Container[str]:
        """
        @param given: names of options that are not none.
        @return: names of those that mean nothing then.
        """
        return _OF_POOLS if "pool" in given else ()

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        match given:
            case {"to": (), "pool": None}:
                yield (), "there are no backends, to or pool is needed"
            case {"to": (_, *_), "pool": str()}:
                yield ("pool",), "there are backends, too; either of them is allowed"
        if given.get("pool") is not None:
            for name, default in _OF_POOLS.items():
                if given.get(name, default) != default:
                    yield (name,), "is the pool's to say"
        yield from nameless(given.get("to", ()), given.get("tls"))


_OF_POOLS: Final = {
    "strategy": Strategy.FIRST_AVAILABLE,
    "connect": Connect(),
    "eject": None,
    "tls": None,
}
"""Options that mean nothing beside a pool, where they are not as here."""


def register(registry: Registry) -> None:
    registry.action("forward", Forward)
