"""Objects from a configuration."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import attrs

import portmux.actions
import portmux.core.frame
import portmux.core.match
from portmux.config.model import Config, Listener
from portmux.core.address import BindAddress, Unix
from portmux.core.counts import Counts
from portmux.core.limits import Ban, Count, Gate, Limits
from portmux.core.match.always import Always
from portmux.core.plan import Action, Forwarding, Plan, Serving
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.pools import Draft, Pools
from portmux.core.reach import Tls
from portmux.core.registry import Registry
from portmux.core.sniff import Route as CompiledRoute
from portmux.core.sniff import Table, Way
from portmux.errors import PortmuxError
from portmux.net.engine import Kind, best
from portmux.net.lane import lane, native
from portmux.net.listen import Listening
from portmux.services.listener import ListenerService

T = TypeVar("T")

METRICS: Final = "(metrics)"
"""Stands in the place of a listener's name, and can be none."""


def registry() -> Registry:
    """@return: every built-in matcher, framer and action."""
    kinds = Registry()
    kinds.load(portmux.core.match)
    kinds.load(portmux.core.frame)
    kinds.load(portmux.actions)
    return kinds


def engine(config: Config) -> Kind:
    """
    @return: what carries a configuration's connections.
    @raise PortmuxError: this system does not have what that needs.
    """
    if config.engine is None:
        return best()
    kind = Kind(config.engine)
    without = None if kind is Kind.TWISTED else lane.missing()
    if without is not None:
        raise PortmuxError(
            f"engine: {kind.value} needs {without}, which is not there; "
            "twisted is allowed"
        )
    if kind is Kind.NATIVE and native.MISSING is not None:
        raise PortmuxError(
            f"engine: native needs the extension ({native.MISSING}); "
            "lane and twisted are allowed"
        )
    return kind


def policy(
    name: str,
    listener: Listener,
    gate: Gate,
    before: Policy | None = None,
    counts: Counts | None = None,
    draft: Draft | None = None,
) -> Policy:
    """
    Changes nothing that is in use; its limits are in force after L{enforce}.

    @param gate: the listener's, which outlives its policies.
    @param before: the policy that this one replaces; its routes' live sessions
        count for the routes of the same names.
    @param counts: the listener's; what C{before} had, or fresh ones.
    @param draft: of the pools; None: plans get pools that live no longer than they.
    @raise ConfigError: an action cannot be carried out here.
    """
    sniff, timeouts = listener.sniff, listener.timeouts
    routes = () if before is None else before.table.routes
    if counts is None:
        counts = Counts() if before is None else before.counts
    old = {} if before is None else {way.name: way.plan for way in before.table.ways()}
    ways = _Ways(name, draft or Pools().draft({}), old)
    return Policy(
        name,
        _table(
            listener, {route.way.name: route.way.count for route in routes}, ways.way
        ),
        gate,
        timeout=sniff.timeout,
        silent=sniff.silent,
        idle=timeouts.idle,
        half_close=timeouts.half_close,
        keepalive=listener.keepalive,
        nodelay=listener.nodelay,
        counts=counts,
    )


def draft(config: Config, pools: Pools) -> Draft:
    """@return: what a configuration wants of the pools there are, or will be."""
    return pools.draft({name: pool.made() for name, pool in config.pools.items()})


def enforce(made: Policy, listener: Listener) -> None:
    """Hold new connections to a listener's limits; live ones count."""
    made.gate.limits = limits(listener)
    most = {route.name: route.limits.connections for route in listener.routes}
    for route in made.table.routes:
        route.way.count.most = most.get(route.way.name)


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
    """@return: by listener, or L{METRICS}, and address: what is to be opened."""
    metrics = config.metrics.prometheus
    others = {} if metrics is None else {METRICS: {metrics: Listening(metrics)}}
    return others | {
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


def rooted(given: T, directory: str) -> T:
    """
    @param given: a configuration, or any value in one.
    @return: the same where paths of sockets begin with C{directory}, unless
        they begin with a slash.
    """
    changed: Any = given
    if isinstance(given, Unix):
        changed = Unix(os.path.join(directory, given.path))
    elif isinstance(given, tuple):
        changed = tuple(rooted(each, directory) for each in given)
    elif isinstance(given, Mapping):
        changed = {key: rooted(each, directory) for key, each in given.items()}
    elif attrs.has(type(given)):
        kind: Any = type(given)
        fields = [field for field in attrs.fields(kind) if field.init]
        before = {field.alias: getattr(given, field.name) for field in fields}
        after = rooted(before, directory)
        changed = given if after == before else kind(**after)
    result: T = changed
    return result


def used(policies: Iterable[Policy]) -> list[Pool]:
    """@return: the pools that their plans forward to."""
    pools: list[Pool] = []
    for each in policies:
        plans = (way.plan for way in each.table.ways())
        pools += [plan.pool for plan in plans if isinstance(plan, Forwarding)]
        pools += [pool for _, lasting in each.lasting() for pool in lasting.pools]
    return pools


def tls(
    draft: Draft,
    services: Mapping[str, ListenerService],
    policies: Mapping[str, Policy],
) -> set[Tls]:
    """
    @param policies: that services will have, where they will be others.
    @return: what backends are spoken to with, once the draft is in force.
    """
    coming = (policies.get(name, each.policy) for name, each in services.items())
    return draft.wanted(used(coming))


@attrs.frozen
class _Ways:
    """Makes the ways of a listener."""

    listener: str
    draft: Draft
    before: Mapping[str, Plan]
    """By the names of ways, what they did until now."""

    def way(self, name: str, action: Action, count: Count | None = None) -> Way:
        plan = self.draft.bound(action.plan(), f"{self.listener}/{name}")
        before = self.before.get(name)
        if isinstance(plan, Serving) and isinstance(before, Serving):
            now, then = plan.lasting, before.lasting
            if now is not None and then is not None and then.resembles(now):
                plan = before
        return Way(name, plan, Count() if count is None else count)


def _table(
    listener: Listener, counts: Mapping[str, Count], way: Callable[..., Way]
) -> Table:
    routes = [
        CompiledRoute(
            route.match, way(route.name, route.action, counts.get(route.name))
        )
        for route in listener.routes
    ]
    if listener.action is not None:
        verb = type(listener.action).__name__.lower()
        routes.append(CompiledRoute(Always(), way(verb, listener.action)))
    silent, undecided = listener.silent, listener.undecided
    table = Table(
        routes,
        silent=None if silent is None else way("silent", silent),
        undecided=None if undecided is None else way("undecided", undecided),
        limit=listener.sniff.limit,
        eager=listener.sniff.resolution == "eager",
    )
    if listener.fallback is not None:
        table.fallback = way("fallback", listener.fallback)
    return table
