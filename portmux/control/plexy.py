"""plexy's commands: its replies word for word, its JSON member for member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from portmux.config.sources import tunnel as grammar
from portmux.config.sources.tunnel import Options, Tunnel, Unparsed
from portmux.control import commands
from portmux.control.admin import Admin, Bored
from portmux.control.handling import handles
from portmux.control.reply import DONE, Reply
from portmux.control.rpcoptions import camel
from portmux.control.spell import PROTOCOL
from portmux.core.address import Host
from portmux.core.backend import Backend, State
from portmux.core.strategies import Strategy
from portmux.core.tunnelmetrics import TunnelNumbers
from portmux.errors import CommandError

EXPRESSION: Final = 1001
SOCKET: Final = 1002
UNKNOWN_TUNNEL: Final = 1006
UNKNOWN_REMOTE: Final = 1008
KNOWN_REMOTE: Final = 1007


@attrs.define
class Moved:
    """Octets of live sessions."""

    sent: int = 0
    received: int = 0


def socket(text: str) -> Host:
    """@raise CommandError: the text is no socket, or more than that."""
    try:
        found, rest = grammar.socket(text)
    except Unparsed as wrong:
        why = f"Failed parser: {wrong.kind}, unparsed: {wrong.rest}"
        raise CommandError(SOCKET, f"Socket spec parse error: {why}") from None
    if rest:
        why = f"Extra characters after spec: {rest}"
        raise CommandError(SOCKET, f"Socket spec parse error: {why}")
    return found


def found(admin: Admin, text: str) -> Bored:
    """@raise CommandError: the text is no socket, or there is no such tunnel."""
    local = str(socket(text))
    bored = admin.tunnels().get(local)
    if bored is None:
        raise CommandError(UNKNOWN_TUNNEL, "Tunnel doesn't exist")
    return bored


@handles(commands.Status)
def status(admin: Admin, command: commands.Status) -> Reply:
    mode = command.mode.upper()
    if mode not in ("", "SHORT", "FULL", "LONG"):
        text = "Control protocol error: Invalid argument to STATUS"
        raise CommandError(PROTOCOL, text)
    tunnels = admin.tunnels()
    first = f"Tunnels: {len(tunnels)}" if tunnels else "No tunnels"
    if mode in ("", "SHORT"):
        return Reply(first)
    live = moved(admin, "listener")
    lines = (_counters(name, stats(bored, live)) for name, bored in tunnels.items())
    return Reply(first, tuple(lines))


def _counters(name: str, told: Mapping[str, int]) -> str:
    return (
        f"{name} = open conns {told['streams_open']},"
        f" total conns {told['total_connections']}, bytes sent {told['bytes_sent']},"
        f" received {told['bytes_received']}, total errors {told['errors']}"
    )


@handles(commands.Open)
def open_(admin: Admin, command: commands.Open) -> Reply:
    try:
        tunnel = grammar.tunnel(command.tunnel)
    except Unparsed as wrong:
        text = f"Tunnel definition parsing error: {wrong}"
        raise CommandError(EXPRESSION, text) from None
    admin.open_tunnel(tunnel)
    return DONE


@handles(commands.OpenTunnel)
def open_tunnel(admin: Admin, command: commands.OpenTunnel) -> Reply:
    remotes = dict.fromkeys(map(socket, command.remotes))
    options = Options() if command.options is None else command.options.options
    admin.open_tunnel(Tunnel(socket(command.tunnel_socket), tuple(remotes), options))
    return DONE


@handles(commands.Close)
def close(admin: Admin, command: commands.Close) -> Reply:
    admin.close_tunnel(found(admin, command.tunnel_socket).local)
    return DONE


@handles(commands.Add)
def add(admin: Admin, command: commands.Add) -> Reply:
    bored, remote = found(admin, command.tunnel), socket(command.remote)
    if bored.pool.find(remote) is not None:
        raise CommandError(KNOWN_REMOTE, "Remote already exists")
    admin.add_remote(bored.local, remote)
    return DONE


@handles(commands.Remove)
def remove(admin: Admin, command: commands.Remove) -> Reply:
    bored, remote = found(admin, command.tunnel), socket(command.remote)
    if bored.pool.find(remote) is None:
        raise CommandError(UNKNOWN_REMOTE, "Remote does not exists")
    live = moved(admin, "backend")
    backend = admin.remove_remote(bored.local, remote)
    return Reply(result=remote_stats(backend, live))


@handles(commands.Detail)
def detail(admin: Admin, command: commands.Detail) -> Reply:
    bored = found(admin, command.tunnel_socket)
    live, dead = _sorted(bored)
    options = bored.options
    assert options.strategy is not None and options.timeout is not None
    first = (
        f"Remotes: {len(live)}, Dead Remotes: {len(dead)}, Options:"
        f" strategy={grammar.called(options.strategy)},retries={options.retries},"
        f"timeout={grammar.shown(options.timeout)}, errors={options.errors}"
    )
    octets = moved(admin, "backend")
    lines = (_remote(backend, remote_stats(backend, octets)) for backend in live)
    return Reply(first, tuple(lines), blank=True)


def _remote(backend: Backend, told: Mapping[str, Any]) -> str:
    return (
        f"{backend.address} = open conns {told['streams_open']},"
        f" total conns {told['total_connections']}, bytes sent {told['bytes_sent']},"
        f" received {told['bytes_received']}, recent errors {told['num_errors']},"
        f" total errors {told['total_errors']}"
    )


@handles(commands.NumberOfTunnels)
def number_of_tunnels(admin: Admin, command: commands.NumberOfTunnels) -> Reply:
    return Reply(result=len(admin.tunnels()))


@handles(commands.ListTunnels)
def list_tunnels(admin: Admin, command: commands.ListTunnels) -> Reply:
    return Reply(result=list(admin.tunnels()))


@handles(commands.TunnelInfo)
def tunnel_info(admin: Admin, command: commands.TunnelInfo) -> Reply:
    bored = found(admin, command.tunnel_socket)
    live, dead = _sorted(bored)
    result = {
        "stats": stats(bored, moved(admin, "listener")),
        "num_remotes": len(live),
        "num_dead_remotes": len(dead),
        "options": _options(bored.options),
    }
    return Reply(result=result)


def _options(options: Options) -> dict[str, Any]:
    assert isinstance(options.strategy, Strategy)
    return {
        "lb_strategy": camel(options.strategy),
        "remote_connect_retries": options.retries,
        "options": {
            "errors_till_dead": options.errors,
            "connect_timeout": options.timeout,
            "dead_retry": options.check_interval,
            "tls": bool(options.remote_tls),
        },
    }


@handles(commands.Remotes)
def remotes(admin: Admin, command: commands.Remotes) -> Reply:
    live, _ = _sorted(found(admin, command.tunnel_socket))
    octets = moved(admin, "backend")
    result = {str(each.address): remote_stats(each, octets) for each in live}
    return Reply(result=result)


def _sorted(bored: Bored) -> tuple[list[Backend], list[Backend]]:
    """@return: those that get clients, and those that do not."""
    live = [each for each in bored.pool.backends if each.state is State.UP]
    dead = [each for each in bored.pool.backends if each.state is not State.UP]
    return live, dead


# -- numbers


def numbers(admin: Admin) -> Iterator[TunnelNumbers]:
    """@return: of each tunnel, for those who read metrics."""
    listeners, backends = moved(admin, "listener"), moved(admin, "backend")
    for name, bored in admin.tunnels().items():
        remotes = {
            str(each.address): remote_stats(each, backends)
            for each in bored.pool.backends
        }
        yield TunnelNumbers(name, stats(bored, listeners), remotes)


def moved(admin: Admin, by: str) -> Mapping[Any, Moved]:
    """@return: by listener's name, or backend: what live sessions have moved."""
    sums: dict[Any, Moved] = {}
    for session in admin.sessions():
        one = sums.setdefault(getattr(session, by), Moved())
        one.sent += session.sent
        one.received += session.received
    return sums


def stats(bored: Bored, live: Mapping[Any, Moved]) -> dict[str, int]:
    """@return: what a tunnel has done, as plexy tells it."""
    counts, octets = bored.policy.counts, live.get(bored.name, Moved())
    passed = counts.passed.values()
    return {
        "bytes_sent": sum(one.sent for one in passed) + octets.sent,
        "streams_open": counts.live,
        "bytes_received": sum(one.received for one in passed) + octets.received,
        "total_connections": counts.accepted,
        "errors": _errors(bored),
    }


def _errors(bored: Bored) -> int:
    """Checks of dead remotes count, and remotes that were removed do."""
    attempts = sum(one.errors for one in bored.policy.counts.backends.values())
    return attempts + bored.pool.checks_failed


def remote_stats(backend: Backend, live: Mapping[Any, Moved]) -> dict[str, Any]:
    """@return: what a remote has done, as plexy tells it."""
    totals, octets = backend.totals, live.get(backend, Moved())
    last = backend.health.last_error
    return {
        "bytes_sent": totals.sent + octets.sent,
        "streams_open": backend.active - backend.pending,
        "streams_pending": backend.pending,
        "bytes_received": totals.received + octets.received,
        "total_connections": totals.sessions,
        "last_error_time": None if last is None else round(last * 1000),
        "num_errors": backend.health.errors,
        "total_errors": totals.errors,
    }
