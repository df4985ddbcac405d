"""Every command, declared once: what it takes, what it does, whether it changes it."""

from __future__ import annotations

from typing import Final

import attrs

from portmux.control.rpcoptions import RpcOptions
from portmux.control.spell import Amount, Command, parameter

# -- plexy's


@attrs.frozen
class Status:
    """Count the tunnels; in full, show what each has done."""

    mode: str = parameter("short, full or long", default="")


@attrs.frozen
class Open:
    """Open a tunnel."""

    tunnel: str = parameter(
        "LOCAL=REMOTE,REMOTE[OPTION=VALUE]", rest=True, missing="argument"
    )


@attrs.frozen
class Close:
    """Close a tunnel, and end its connections."""

    tunnel_socket: str = parameter("the tunnel's local socket", missing="argument")


@attrs.frozen
class Add:
    """Give a tunnel one more remote."""

    tunnel: str = parameter("the tunnel's local socket", missing="argument")
    remote: str = parameter("the remote's socket", missing="remote socket spec")


@attrs.frozen
class Remove:
    """Give a remote of a tunnel no new clients; those that it has stay."""

    tunnel: str = parameter("the tunnel's local socket", missing="argument")
    remote: str = parameter("the remote's socket", missing="remote socket spec")


@attrs.frozen
class Detail:
    """Show a tunnel's options, and what each remote has done."""

    tunnel_socket: str = parameter("the tunnel's local socket", missing="argument")


@attrs.frozen
class Exit:
    """End the connection."""

    ignored: str = parameter("anything", default="", rest=True)


@attrs.frozen
class Help:
    """List the commands, or explain one."""

    command: str = parameter("a command", default="", rest=True)


@attrs.frozen
class NumberOfTunnels:
    """Count the tunnels."""


@attrs.frozen
class ListTunnels:
    """Name the tunnels' local sockets."""


@attrs.frozen
class TunnelInfo:
    """Show a tunnel's options, and what it has done."""

    tunnel_socket: str = parameter("the tunnel's local socket")


@attrs.frozen
class Remotes:
    """Show what each remote of a tunnel has done that is not dead."""

    tunnel_socket: str = parameter("the tunnel's local socket")


@attrs.frozen
class OpenTunnel:
    """Open a tunnel."""

    tunnel_socket: str = parameter("the tunnel's local socket")
    remotes: tuple[str, ...] = parameter("the remotes' sockets")
    options: RpcOptions | None = parameter(  # noqa: RUF009 -- attrs' own
        "what differs from the defaults", default=None
    )


# -- to look at


@attrs.frozen
class Listeners:
    """Show every listener, its addresses, and what it has done."""


@attrs.frozen
class Routes:
    """Show the routes in the order in which they are asked, and what took them."""

    listener: str = parameter("of this listener only", default="")


@attrs.frozen
class Pools:
    """Show every pool, its strategy, and how many of its backends are up."""


@attrs.frozen
class Backends:
    """Show the backends: state, reason, since when, and what each has done."""

    pool: str = parameter("of this pool only", default="")


@attrs.frozen
class Requests:
    """Show every mux: its connections, its queue, and what became of its requests."""


@attrs.frozen
class Sessions:
    """Show live sessions, the oldest first."""

    listener: str = parameter("of this listener", default="", named=True)
    route: str = parameter("that took this route", default="", named=True)
    backend: str = parameter("that have this backend", default="", named=True)
    client: str = parameter("of this client's address", default="", named=True)
    limit: int = parameter("so many at most", default=100, named=True)


@attrs.frozen
class Explain:
    """Tell which route a client's first bytes take, and why."""

    listener: str = parameter("the listener's name")
    first: str = parameter(
        r"the bytes: text, in which \XX is one octet in hexadecimal", rest=True
    )


@attrs.frozen
class Version:
    """Tell which portmux this is, and since when it runs."""


@attrs.frozen
class Watch:
    """Tell every record and every change from now on, until the connection ends."""


@attrs.frozen
class Check:
    """Read the configuration, and tell its faults; nothing changes."""


@attrs.frozen
class Diff:
    """Show what was changed since the configuration was read."""


@attrs.frozen
class Save:
    """Show the configuration with what was changed in it, as a portmux.conf."""


# -- to change


@attrs.frozen
class Kill:
    """End live sessions: one by its number, or all that fit."""

    session: int | None = parameter("the session's number", default=None)
    listener: str = parameter("of this listener", default="", named=True)
    route: str = parameter("that took this route", default="", named=True)
    backend: str = parameter("that have this backend", default="", named=True)
    client: str = parameter("of this client's address", default="", named=True)


@attrs.frozen
class Enable:
    """Have a backend be up, whatever was the matter with it."""

    pool: str = parameter("the pool's name")
    backend: str = parameter("the backend's address")


@attrs.frozen
class Disable:
    """Give a backend no sessions, and check it no more; those that it has stay."""

    pool: str = parameter("the pool's name")
    backend: str = parameter("the backend's address")


@attrs.frozen
class Drain:
    """Give a backend no new sessions, but of clients that stick to it."""

    pool: str = parameter("the pool's name")
    backend: str = parameter("the backend's address")


@attrs.frozen
class Weight:
    """Change a backend's part of the sessions, beside others' weights."""

    pool: str = parameter("the pool's name")
    backend: str = parameter("the backend's address")
    weight: int = parameter("1 or more")


@attrs.frozen
class Limits:
    """Show a listener's limits, or set some of them."""

    listener: str = parameter("the listener's name", default="")
    connections: Amount = parameter(  # noqa: RUF009 -- attrs' own
        "most live connections, or none", default="", named=True
    )
    per_source: Amount = parameter(  # noqa: RUF009 -- attrs' own
        "most live connections of one source, or none", default="", named=True
    )
    rate: Amount = parameter(  # noqa: RUF009 -- attrs' own
        "most new connections of one source in a second, or none",
        default="",
        named=True,
    )


@attrs.frozen
class Log:
    """Show which messages are written, or write others."""

    level: str = parameter("debug, info, warn or error", default="")
    part: str = parameter("of this part of the program only", default="")


@attrs.frozen
class Reload:
    """Read the configuration again; a fault changes nothing and is told."""


@attrs.frozen
class Forget:
    """Undo all that was changed since the configuration was read."""


@attrs.frozen
class Auth:
    """Say the token, where one is asked for."""

    token: str = parameter("the token", rest=True)


PLEXY: Final = (
    Command(Open, "OPEN", changes=True, plexy="OPEN tunnel"),
    Command(Close, "CLOSE", "closeTunnel", changes=True, plexy="CLOSE tunnel"),
    Command(Add, "ADD", "addRemote", changes=True, plexy="ADD socket_address"),
    Command(
        Remove, "REMOVE", "removeRemote", changes=True, plexy="REMOVE socket_address"
    ),
    Command(Status, "STATUS", plexy="STATUS [full|long]"),
    Command(Detail, "DETAIL", plexy="DETAIL tunnel"),
    Command(Exit, "EXIT", plexy="EXIT"),
    Command(Help, "HELP", plexy="HELP"),
    Command(NumberOfTunnels, method="numberOfTunnels"),
    Command(ListTunnels, method="listTunnels"),
    Command(TunnelInfo, method="tunnelInfo"),
    Command(Remotes, method="remotes"),
    Command(OpenTunnel, method="openTunnel", changes=True),
    Command(Auth, "AUTH"),
)
"""plexy's commands, in the order of its help; and what a token is said with."""

ALL: Final = (
    *PLEXY,
    Command(Listeners, "LISTENERS", "listeners", rows=True),
    Command(Routes, "ROUTES", "routes", rows=True),
    Command(Pools, "POOLS", "pools", rows=True),
    Command(Backends, "BACKENDS", "backends", rows=True),
    Command(Requests, "REQUESTS", "requests", rows=True),
    Command(Sessions, "SESSIONS", "sessions", rows=True),
    Command(Kill, "KILL", "killSessions", changes=True),
    Command(Enable, "ENABLE", "enableBackend", changes=True),
    Command(Disable, "DISABLE", "disableBackend", changes=True),
    Command(Drain, "DRAIN", "drainBackend", changes=True),
    Command(Weight, "WEIGHT", "weighBackend", changes=True),
    Command(Limits, "LIMITS", "limits", changes=True, rows=True),
    Command(Explain, "EXPLAIN", "explain"),
    Command(Watch, "WATCH", "watch"),
    Command(Log, "LOG", "log", changes=True),
    Command(Check, "CHECK", "check"),
    Command(Reload, "RELOAD", "reload", changes=True),
    Command(Diff, "DIFF", "diff"),
    Command(Save, "SAVE", "save"),
    Command(Forget, "FORGET", "forget", changes=True),
    Command(Version, "VERSION", "version"),
)
"""All commands: plexy's first, then ours."""

TABLES: Final = {"all": ALL, "plexy": PLEXY}
"""By the words of C{control.commands}."""
