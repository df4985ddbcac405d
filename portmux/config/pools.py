"""The options of pools; L{portmux.config.model} has all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs

from portmux.config.checks import (
    PATH,
    Clashes,
    Given,
    hold,
    like,
    positive,
    ranged,
    some,
)
from portmux.core import backend, pool, reach, waiting
from portmux.core.address import Address, Unix
from portmux.core.health import Ejection
from portmux.core.option import Seconds, at_least, option
from portmux.core.strategies import Strategy

LEAST_RECHECK = 0.1
"""Seconds; from taste: more often is no check but a load."""


@attrs.frozen
class Connect:
    """How connections to backends are made."""

    timeout: Seconds = option(
        "how long one attempt may take, resolving the name and TLS included",
        default=Seconds(10.0),
        check=at_least(0.001),
        example="10s",
    )
    attempts: int | None = option(
        "attempts for one client: on other backends first, then again; none: each "
        "backend once",
        default=None,
        check=at_least(1),
        example="2",
    )


@attrs.frozen
class Eject:
    """When a backend gets no more sessions until a check succeeds."""

    errors: int = option(
        "attempts to connect that fail in a row",
        default=1,
        value=True,
        check=at_least(1),
        example="3",
    )
    recheck: Seconds = option(
        "time until it is tried again, and between checks that fail",
        default=Seconds(10.0),
        check=at_least(LEAST_RECHECK),
        example="5s",
    )
    back_off: Seconds | None = option(
        "each check that fails doubles recheck, up to this; none: it stays as it is",
        default=None,
        check=positive,
        example="5m",
    )
    max: int | None = option(
        "backends that may be ejected at a time; none: all but one, and where no other "
        "is left, ejected ones are tried all the same",
        default=None,
        check=at_least(0),
        example="2",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    def rule(self) -> Ejection:
        return Ejection(self.errors, self.recheck, self.back_off, self.max)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        match given:
            case {
                "recheck": int() | float() as least,
                "back_off": int() | float() as most,
            } if most < least:
                yield (
                    ("back-off",),
                    "is shorter than recheck, at least as long is allowed",
                )


@attrs.frozen
class Queue:
    """Where clients wait when every backend has as many sessions as it may."""

    length: int = option(
        "clients that may wait; more are closed at once",
        default=0,
        value=True,
        check=at_least(0),
        example="100",
    )
    timeout: Seconds = option(
        "how long a client waits until it is closed",
        default=Seconds(10.0),
        check=at_least(0.001),
        example="5s",
    )


@attrs.frozen
class Tls:
    """Speak TLS to backends."""

    name: str | None = option(
        "name that is asked for and that the certificate must have; none: the "
        "backend's host",
        default=None,
        check=like(r"[A-Za-z0-9_.:-]{1,253}", "a host's name or an IP address"),
        example="db.example.org",
    )
    ca_bundle: str | None = option(
        "file of the certificates that are trusted, PEM; none: the system's",
        default=None,
        check=PATH,
        example="/etc/portmux/ca.pem",
    )
    certificate: str | None = option(
        "file of a certificate to show, with its chain, PEM; none: none is shown",
        default=None,
        check=PATH,
        example="/etc/portmux/client.pem",
    )
    key: str | None = option(
        "file of its key, PEM; none: it is in the same file",
        default=None,
        check=PATH,
        example="/etc/portmux/client.key",
    )
    minimum: Literal["TLSv1.2", "TLSv1.3"] = option(
        "least version of TLS", default="TLSv1.2", example="TLSv1.3"
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    def wanted(self) -> reach.Tls:
        return reach.Tls(
            self.name, self.ca_bundle, self.certificate, self.key, self.minimum
        )

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        match given:
            case {"certificate": None, "key": str()}:
                yield ("key",), "means nothing without a certificate"


@attrs.frozen
class Backend:
    """One target of a pool."""

    address: Address = option("where it is", value=True, example="10.0.0.5:443")
    weight: int = option(
        "its part of the sessions, beside the weights of others",
        default=1,
        check=ranged(1, 256),
        example="3",
    )
    connections: int | None = option(
        "most sessions it has at a time; none: as the pool says",
        default=None,
        check=at_least(1),
        example="100",
    )


@attrs.frozen
class Pool:
    """Backends that routes share, and how sessions are spread over them."""

    backends: tuple[Backend, ...] = option(
        "where sessions go", check=some("a backend"), example='["10.0.0.5:443"]'
    )
    strategy: Strategy = option(
        "which backend gets the next session",
        default=Strategy.ROUND_ROBIN,
        example="least-connections",
    )
    connect: Connect = option("attempts and their time", factory=Connect)
    eject: Eject | None = option(
        "when a backend gets no more sessions; none: never",
        factory=Eject,
        example="{errors: 3, recheck: 5s}",
    )
    slow_start: Seconds | None = option(
        "time in which a backend that is back, or added, grows to its weight, from a "
        "tenth of it; none: at once",
        default=None,
        check=positive,
        example="30s",
    )
    sticky: Seconds | None = option(
        "time for which a client's address comes back to its backend, from its last "
        "session; none: each session may go elsewhere",
        default=None,
        check=positive,
        example="10m",
    )
    connections: int | None = option(
        "most sessions that each backend has at a time; none: any number",
        default=None,
        check=at_least(1),
        example="100",
    )
    queue: Queue = option(
        "clients that wait for a backend with room", factory=Queue, example="100"
    )
    resolve: Seconds | None = option(
        "time for which the addresses of a backend's name are good; none: it is "
        "resolved for each connection",
        default=None,
        check=positive,
        example="30s",
    )
    tls: Tls | None = option(
        "speak TLS to the backends; none: what clients send goes on as it is",
        default=None,
        example="{ca-bundle: /etc/portmux/ca.pem}",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    def made(self) -> pool.Pool:
        """@return: a pool that does as it says; it has no name yet."""
        settings = pool.Settings(
            self.strategy,
            self.connect.timeout,
            self.connect.attempts,
            None if self.eject is None else self.eject.rule(),
            self.slow_start,
            self.sticky,
            waiting.Queue(self.queue.length, self.queue.timeout),
            reach.Reach(None if self.tls is None else self.tls.wanted(), self.resolve),
        )
        return pool.Pool.of(
            (
                backend.Backend(
                    each.address, each.weight, each.connections or self.connections
                )
                for each in self.backends
            ),
            settings,
        )

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        seen = set()
        for index, each in enumerate(given.get("backends", ())):
            if each.address in seen:
                path = ("backends", str(index))
                yield path, f"{each.address} is there already, once is allowed"
            seen.add(each.address)
        addresses = [each.address for each in given.get("backends", ())]
        yield from nameless(addresses, given.get("tls"))


def nameless(addresses: Iterable[Address], tls: Tls | None) -> Clashes:
    """A certificate has to be somebody's."""
    unnamed = isinstance(tls, Tls) and tls.name is None
    if unnamed and any(isinstance(address, Unix) for address in addresses):
        yield ("tls",), "needs a name: a unix socket has none"
