"""
Every option of portmux.conf, declared once.

Durations are seconds, sizes octets; None is C{none} in a file. An object made
by hand is held to the same rules as one from a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from portmux.config import places
from portmux.config.checks import (
    PATH,
    Clashes,
    Given,
    hold,
    is_private,
    like,
    positive,
    sized,
    some,
)
from portmux.config.control import Control
from portmux.config.limits import GlobalLimits, Limits, RouteLimits
from portmux.config.logs import Log
from portmux.config.pools import Pool
from portmux.config.tunnels import Tunnels
from portmux.config.values import Name, OwnAddress
from portmux.core.address import BindAddress, Host, Unix
from portmux.core.head import Matcher
from portmux.core.option import Octets, Seconds, at_least, option
from portmux.core.plan import Action

MOST_SNIFFED = 1 << 20
"""Octets; from taste: a thousand sniffing clients then hold one GiB at most."""


@attrs.frozen
class Bind:
    """One address that a listener waits on."""

    address: BindAddress = option(
        "where to listen; * is every address of both families",
        value=True,
        example="*:443",
    )
    backlog: int | None = option(
        "connections the system holds until they are accepted; none: its maximum",
        default=None,
        check=at_least(1),
        example="4096",
    )
    mode: str | None = option(
        "permissions of a unix socket, in octal; none: 0600",
        default=None,
        check=like("0?[0-7]{3}", 'three octal digits such as "0660"'),
        example="0660",
    )
    owner: str | None = option(
        "owner of a unix socket; none: who starts portmux",
        default=None,
        check=like(r"[^:\s]+(:[^:\s]+)?", "USER or USER:GROUP"),
        example="portmux:www-data",
    )
    interface: str | None = option(
        "network interface that connections must come in by; none: any",
        default=None,
        check=like(r"[^/\s]{1,15}", "a name of up to 15 letters"),
        example="eth0",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        address = given.get("address")
        only = {
            "mode": (Unix, "unix:PATH"),
            "owner": (Unix, "unix:PATH"),
            "interface": (Host, "IP:PORT"),
            "backlog": (Host | Unix, "sockets that portmux opens itself"),
        }
        for name, (kind, allowed) in only.items():
            if given.get(name) is None or address is None:
                continue
            if not isinstance(address, kind):
                yield (name,), f"means nothing for {address}, it is for {allowed}"

    @property
    def permissions(self) -> int | None:
        """C{mode} as a number."""
        return None if self.mode is None else int(self.mode, 8)


@attrs.frozen
class Sniff:
    """How long, and how far, first bytes are looked at."""

    timeout: Seconds | None = option(
        "time from accepting a connection until it must be decided",
        default=3.0,
        check=positive,
        example="5s",
    )
    limit: Octets = option(
        "most octets looked at, up to 1MiB",
        default=1 << 16,
        check=sized(1, MOST_SNIFFED),
        example="16KiB",
    )
    silent: Seconds | None = option(
        "time after which a client that sent nothing gets the silent action; "
        "none: the timeout",
        default=None,
        check=positive,
        example="500ms",
    )
    resolution: Literal["ordered", "eager"] = option(
        "which route wins: the first in written order, or the first that matches "
        "with the fewest octets",
        default="ordered",
        example="eager",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        match given:
            case {
                "timeout": int() | float() as most,
                "silent": int() | float() as silent,
            } if silent > most:
                yield ("silent",), "is longer than timeout, at most as long is allowed"


@attrs.frozen
class Timeouts:
    """How long a decided connection may rest."""

    idle: Seconds | None = option(
        "time without a byte in either direction after which a connection ends",
        default=None,
        check=positive,
        example="10m",
    )
    half_close: Seconds | None = option(
        "time without a byte after one side has ended its direction",
        default=60.0,
        check=positive,
        example="30s",
    )


@attrs.frozen
class Route:
    """A matcher and what is done with its connections."""

    unique = "name"

    name: Name = option("unique in the listener; it stands in records", example="ssh")
    match: Matcher = option("which connections", example="ssh")
    action: Action = option("what is done with them", inline=True)
    limits: RouteLimits = option("limits of this route", factory=RouteLimits)


@attrs.frozen
class Listener:
    """Addresses that share an ordered list of routes."""

    bind: tuple[Bind, ...] = option(
        "where to listen",
        check=some("an address"),
        example='["*:443"]',
    )
    routes: tuple[Route, ...] = option("asked in this order", default=())
    action: Action | None = option(
        "what is done with every connection of a listener without routes",
        default=None,
        inline=True,
    )
    fallback: Action | None = option(
        "what is done when every route said no; none: close",
        default=None,
        example="close",
    )
    silent: Action | None = option(
        "what is done with a client that sent nothing within sniff.silent; "
        "none: as when nothing is decided in time",
        default=None,
        example='{forward: "127.0.0.1:22"}',
    )
    undecided: Action | None = option(
        "what is done when bytes came and nothing was decided within sniff.timeout; "
        "none: the first route that matches without more bytes, then fallback",
        default=None,
        example="close",
    )
    sniff: Sniff = option("how first bytes are looked at", factory=Sniff)
    limits: Limits = option("limits of this listener", factory=Limits)
    timeouts: Timeouts = option("when connections are ended", factory=Timeouts)
    keepalive: bool = option("TCP keepalive, both ways", default=True, example="false")
    nodelay: bool = option(
        "send small pieces at once, both ways", default=True, example="false"
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        match given:
            case {"routes": (), "action": None}:
                yield (), "there are neither routes nor an action, one is needed"
            case {"routes": (_, *_), "action": action} if action is not None:
                yield (), "there are routes and an action of its own, one is allowed"
            case {"routes": ()}:
                for name in ("fallback", "silent", "undecided"):
                    if given.get(name) is not None:
                        yield (name,), "means nothing without routes"
        match given:
            case {"sniff": Sniff(silent=after), "silent": None} if after is not None:
                yield ("sniff", "silent"), "means nothing without a silent action"


@attrs.frozen
class Metrics:
    """Who may read what is counted."""

    prometheus: OwnAddress | None = option(
        "where to answer Prometheus' scrapes; beyond loopback token-file is needed; a "
        "unix socket belongs to who starts portmux, with mode 0600; none: nowhere",
        default=None,
        example="127.0.0.1:9997",
    )
    token_file: str | None = option(
        "file whose first line everybody has to say who reads by TCP; none: nobody is "
        "asked",
        default=None,
        check=PATH,
        example="/etc/portmux/token",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        address = given.get("prometheus")
        if address is None or given.get("token_file", "") is not None:
            return
        if not is_private(address):
            yield (
                ("prometheus",),
                f"{address} may be beyond loopback, where anybody could read it: "
                "token-file is needed",
            )


@attrs.frozen
class Config:
    """All of portmux.conf."""

    elsewhere = ("include",)

    listeners: Mapping[Name, Listener] = option("by name", factory=dict)
    pools: Mapping[Name, Pool] = option(
        "backends that routes share, by name", factory=dict
    )
    tunnels: Tunnels = option("listeners with one route that forwards", factory=Tunnels)
    control: Control = option(
        "how portmux is watched and changed while it runs", factory=Control
    )
    state: str | None = option(
        "file that keeps what was changed while portmux ran; none: it is forgotten",
        default=None,
        check=PATH,
        example="/var/lib/portmux/state",
    )
    start: Literal["whole", "any"] = option(
        "what has to be open at the start: the whole of it, or anything at all",
        default="whole",
        example="any",
    )
    limits: GlobalLimits = option("limits of the whole program", factory=GlobalLimits)
    engine: Literal["native", "lane", "twisted"] | None = option(
        "what carries forwarded connections: lane, an event loop of portmux's own for "
        "Linux, native, the same with a thread in C that moves the bytes, or twisted, "
        "Twisted's transports; none: the first of native, lane and twisted that can",
        default=None,
        example="twisted",
    )
    log: Log = option("what is written where", factory=Log)
    metrics: Metrics = option("who may read what is counted", factory=Metrics)
    drain: Seconds | None = option(
        "time that live sessions get at the end; none: as long as they last",
        default=10.0,
        example="30s",
    )
    hangup: Literal["reload", "drain"] = option(
        "what SIGHUP does: the configuration is read again, or portmux ends as with "
        "SIGTERM",
        default="reload",
        example="drain",
    )
    pid: str | None = option(
        "file that holds the process id; under twistd use its --pidfile",
        default=None,
        check=PATH,
        example="/run/portmux/portmux.pid",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        yield from places.clashes(given)
