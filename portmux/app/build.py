"""Objects from a configuration."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import portmux.actions
import portmux.core.match
from portmux.config.model import Config, Listener, Route
from portmux.core.address import BindAddress
from portmux.core.limits import Ban, Count, Gate, Limits
from portmux.core.match.always import Always
from portmux.core.plan import Action
from portmux.core.registry import Registry
from portmux.core.session import Policy
from portmux.core.sniff import Route as CompiledRoute
from portmux.core.sniff import Table, Way
from portmux.net.listen import Listening


def registry() -> Registry:
    """@return: every built-in matcher and action."""
    kinds = Registry()
    kinds.load(portmux.core.match)
    kinds.load(portmux.actions)
    return kinds


def policy(
    name: str, listener: Listener, gate: Gate, before: Policy | None = None
) -> Policy:
    """
    @param gate: the listener's, which outlives its policies.
    @param before: the policy that this one replaces; its routes' live sessions
        count for the routes of the same names.
    """
    sniff, timeouts = listener.sniff, listener.timeouts
    counts = {} if before is None else {w.name: w.count for w in before.table.ways()}
    return Policy(
        name,
        _table(listener, counts),
        gate,
        timeout=sniff.timeout,
        silent=sniff.silent,
        idle=timeouts.idle,
        half_close=timeouts.half_close,
    )


def limits(listener: Listener) -> Limits:
    """@return: what the listener's gate holds to."""
    wanted, ban = listener.limits, listener.limits.ban
    return Limits(
        wanted.connections,
        wanted.per_source,
        wanted.rate,
        None if ban is None else Ban(ban.failures, ban.within, ban.duration),
    )


def listenings(config: Config) -> dict[str, dict[BindAddress, Listening]]:
    """@return: by listener and address, what is to be opened."""
    return {
        name: {
            bind.address: Listening(
                bind.address,
                socket.SOMAXCONN if bind.backlog is None else bind.backlog,
                bind.permissions,
                bind.owner,
                bind.interface,
                listener.keepalive,
                listener.nodelay,
            )
            for bind in listener.bind
        }
        for name, listener in config.listeners.items()
    }


def _table(listener: Listener, counts: Mapping[str, Count]) -> Table:
    routes = [_route(route, counts) for route in listener.routes]
    if listener.action is not None:
        way = Way(_verb(listener.action), listener.action.plan())
        routes.append(CompiledRoute(Always(), way))
    table = Table(
        routes,
        silent=_way("silent", listener.silent),
        undecided=_way("undecided", listener.undecided),
        limit=listener.sniff.limit,
        eager=listener.sniff.resolution == "eager",
    )
    fallback = _way("fallback", listener.fallback)
    if fallback is not None:
        table.fallback = fallback
    return table


def _route(route: Route, counts: Mapping[str, Count]) -> CompiledRoute:
    count = counts.get(route.name) or Count()
    count.most = route.limits.connections
    return CompiledRoute(route.match, Way(route.name, route.action.plan(), count))


def _way(name: str, action: Action | None) -> Way | None:
    return None if action is None else Way(name, action.plan())


def _verb(action: Action) -> str:
    return type(action).__name__.lower()
