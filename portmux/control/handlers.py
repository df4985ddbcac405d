"""Our own commands that show something, one function each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from portmux.config import octets
from portmux.control import commands
from portmux.control.admin import Admin, Standing
from portmux.control.handling import IMPOSSIBLE, handles
from portmux.control.naming import fitting, pool_named, standing_named
from portmux.control.plexy import Moved, moved, remote_stats
from portmux.control.reply import Reply, Row, listed, pairs
from portmux.core.address import Host, Unix
from portmux.core.backend import Backend
from portmux.core.explain import Client, explain
from portmux.core.plan import Closing, Forwarding, Plan
from portmux.core.pool import Pool
from portmux.core.record import timestamp
from portmux.core.session import Session
from portmux.core.sniff import Decision
from portmux.errors import CommandError

EXPLAINED: Final = 4096
"""Octets that are explained at most; from taste: more would have others wait."""

MOST: Final = 1000
"""Sessions that are shown at most; from taste: 300 KiB of text."""


@handles(commands.Version)
def version(admin: Admin, command: commands.Version) -> Reply:
    told = dict(admin.version())
    others = {name: value for name, value in told.items() if name != "version"}
    return Reply(f"portmux {told['version']}", pairs(others), told)


@handles(commands.Listeners)
def listeners(admin: Admin, command: commands.Listeners) -> Reply:
    live = moved(admin, "listener")
    return listed(
        "Listeners",
        [
            _listener(admin, each, live.get(each.name, Moved()))
            for each in admin.listeners().values()
        ],
    )


def _listener(admin: Admin, standing: Standing, live: Moved) -> Row:
    counts = standing.policy.counts
    passed = counts.passed.values()
    return {
        "listener": standing.name,
        "addresses": list(map(str, standing.addresses)),
        "routes": len(standing.policy.table.routes),
        "sessions": counts.live,
        "accepted": counts.accepted,
        "refused": sum(n for end, n in counts.ends.items() if end.startswith("limit-")),
        "sent": sum(one.sent for one in passed) + live.sent,
        "received": sum(one.received for one in passed) + live.received,
    }


@handles(commands.Routes)
def routes(admin: Admin, command: commands.Routes) -> Reply:
    standing = admin.listeners().values()
    if command.listener:
        standing = [standing_named(admin, command.listener)]  # type: ignore[assignment]
    return listed("Routes", [row for each in standing for row in _routes(each)])


def _routes(standing: Standing) -> Iterator[Row]:
    table, counts = standing.policy.table, standing.policy.counts
    live = {route.way.name: route.way.count.live for route in table.routes}
    for way in {way.name: way for way in table.ways()}.values():
        ended = [one for (name, _), one in counts.passed.items() if name == way.name]
        yield {
            "route": f"{standing.name}/{way.name}",
            "does": does(way.plan),
            "sessions": live.get(way.name, way.count.live),
            "ended": sum(one.sessions for one in ended),
            "sent": sum(one.sent for one in ended),
            "received": sum(one.received for one in ended),
        }


def does(plan: Plan) -> str:
    """@return: what becomes of a connection."""
    if isinstance(plan, Forwarding):
        return f"forward to {plan.pool.name}"
    if isinstance(plan, Closing):
        return "reset" if plan.reset else "close"
    return plan.name


@handles(commands.Pools)
def pools(admin: Admin, command: commands.Pools) -> Reply:
    return listed("Pools", [_pool(pool) for pool in admin.pools().values()])


def _pool(pool: Pool) -> Row:
    states = [backend.state.value for backend in pool.backends]
    return {
        "pool": pool.name,
        "strategy": pool.settings.strategy.value,
        "backends": len(states),
        "up": states.count("up"),
        "sessions": sum(backend.active for backend in pool.backends),
        "queued": len(pool.waiting),
        "queue_refused": pool.waiting.refused,
        "queue_expired": pool.waiting.expired,
    }


@handles(commands.Backends)
def backends(admin: Admin, command: commands.Backends) -> Reply:
    pools = admin.pools()
    if command.pool:
        pools = {command.pool: pool_named(admin, command.pool)}
    live = moved(admin, "backend")
    rows = [
        _backend(pool, backend, remote_stats(backend, live))
        for pool in pools.values()
        for backend in pool.backends
    ]
    return listed("Backends", rows)


def _backend(pool: Pool, backend: Backend, told: dict[str, Any]) -> Row:
    since = timestamp(backend.since) if backend.since else None
    return {
        "backend": str(backend.address),
        "pool": pool.name,
        "state": backend.state.value,
        "reason": backend.reason or None,
        "since": since,
        "weight": backend.weight,
        "most": backend.most,
        "sessions": told["streams_open"],
        "connecting": told["streams_pending"],
        "connected": told["total_connections"],
        "sent": told["bytes_sent"],
        "received": told["bytes_received"],
        "errors_in_a_row": told["num_errors"],
        "errors": told["total_errors"],
        "ejections": backend.totals.ejections,
        "last_error": backend.health.last_reason or None,
    }


@handles(commands.Sessions)
def sessions(admin: Admin, command: commands.Sessions) -> Reply:
    found = fitting(admin, command)
    now, most = admin.now(), max(0, min(command.limit, MOST))
    rows = [_session(session, now) for session in found[:most]]
    return listed("Sessions", rows, len(found))


def _session(session: Session, now: float) -> Row:
    backend, seconds = session.backend, now - session.opened
    return {
        "session": session.number,
        "listener": session.listener,
        "route": session.route,
        "client": str(session.source),
        "backend": None if backend is None else str(backend.address),
        "phase": session.phase.name.lower(),
        "seconds": round(seconds, 3),
        "rested": round(max(0.0, min(now - session.touched, seconds)), 3),
        "sent": session.sent,
        "received": session.received,
    }


@handles(commands.Explain)
def explain_(admin: Admin, command: commands.Explain) -> Reply:
    standing = standing_named(admin, command.listener)
    data = octets.from_text(command.first)
    if len(data) > EXPLAINED:
        text = f"There are {len(data)} octets, {EXPLAINED} are allowed"
        raise CommandError(IMPOSSIBLE, text)
    trace = explain(standing.policy.table, data, _client(standing, admin.now()))
    rows = [
        {
            "route": row.route,
            "verdict": row.verdict.name.lower(),
            "octets": row.octets,
            "won": row.won,
            "reason": row.reason.text,
        }
        for row in trace.rows
    ]
    decision, late = trace.decision, trace.at_timeout
    result = {
        "routes": rows,
        "decision": _decision(decision),
        "at_timeout": _decision(late),
    }
    told = _decision(decision) or "nothing is decided yet"
    after = "" if late is None else f"; when time is over: {_decision(late)}"
    first = f"{told}{after}"
    return Reply(first, rows=rows, result=result)


def _client(standing: Standing, now: float) -> Client:
    """A client that might come; matchers of addresses need some."""
    local = standing.addresses[0] if standing.addresses else None
    if isinstance(local, Unix):
        return Client(Unix(""), local, now)
    port = local.port if isinstance(local, Host) else 443
    return Client(Host("203.0.113.1", 50000), Host("198.51.100.1", port), now)


def _decision(decision: Decision | None) -> str | None:
    if decision is None:
        return None
    name, what = decision.way.name, does(decision.way.plan)
    return f"{name} by {decision.cause.value}: {what}"


@handles(commands.Check)
def check(admin: Admin, command: commands.Check) -> Reply:
    faults, warnings = admin.check()
    first = f"{len(faults)} fault(s)" if faults else "in order"
    result = {"faults": list(faults), "warnings": list(warnings)}
    return Reply(first, (*faults, *warnings), result)


@handles(commands.Diff)
def diff(admin: Admin, command: commands.Diff) -> Reply:
    return _text(admin.diff(), "nothing was changed")


@handles(commands.Save)
def save(admin: Admin, command: commands.Save) -> Reply:
    return _text(admin.whole(), "nothing is configured")


def _text(text: str, otherwise: str) -> Reply:
    lines = text.splitlines()
    return Reply(f"{len(lines)} line(s)" if lines else otherwise, tuple(lines), text)
