"""What commands name: listeners, pools, backends, sessions."""

from __future__ import annotations

from portmux.control import commands
from portmux.control.admin import Admin, Standing, find
from portmux.control.handling import UNKNOWN
from portmux.core.address import Address, Host
from portmux.core.backend import Backend
from portmux.core.limits import source_key
from portmux.core.pool import Pool
from portmux.core.session import Session
from portmux.errors import CommandError


def standing_named(admin: Admin, name: str) -> Standing:
    """@raise CommandError: no listener is called so."""
    found = admin.listeners().get(name)
    if found is None:
        raise CommandError(UNKNOWN, f"There is no listener {name}")
    return found


def pool_named(admin: Admin, name: str) -> Pool:
    """@raise CommandError: no pool is called so."""
    pool = admin.pools().get(name)
    if pool is None:
        raise CommandError(UNKNOWN, f"There is no pool {name}")
    return pool


def named(admin: Admin, pool: str, backend: str) -> tuple[Pool, Backend]:
    """@raise CommandError: there is no such pool, or no such backend in it."""
    known = pool_named(admin, pool)
    found = find(known, backend)
    if found is None:
        raise CommandError(UNKNOWN, f"There is no backend {backend} in {pool}")
    return known, found


def fitting(admin: Admin, wanted: commands.Sessions | commands.Kill) -> list[Session]:
    """@return: live sessions that fit, the oldest first."""
    number = wanted.session if isinstance(wanted, commands.Kill) else None
    found = [
        session
        for session in admin.sessions()
        if number in (None, session.number)
        and wanted.listener in ("", session.listener)
        and wanted.route in ("", session.route)
        and (not wanted.backend or _has(session, wanted.backend))
        and (not wanted.client or _is_of(session.source, wanted.client))
    ]
    return sorted(found, key=lambda session: session.number)


def _has(session: Session, backend: str) -> bool:
    return session.backend is not None and str(session.backend.address) == backend


def _is_of(source: Address, client: str) -> bool:
    """@param client: an address, one with its port, or an IPv6 network of limits."""
    if str(source) == client or source_key(source) == client:
        return True
    return isinstance(source, Host) and source.host == client.strip("[]")
