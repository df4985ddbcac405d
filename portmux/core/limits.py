"""
How many connections may be there, and how fast they may come.

One L{Gate} a listener, all of them below one L{Count} of the process. Sources
are IPv4 addresses and IPv6 /64 networks; unix sockets have none and are
limited in number only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Final

import attrs

from portmux.core.address import Address, Host

TABLE: Final = 65536
"""Sources remembered at most; the longest unused is forgotten first (taste)."""


_OF_NUMBER: Final = ("connections-in-all", "connections", "per-source")
"""Limits of what is live, by the words of L{Gate.admit}."""


@attrs.frozen(slots=True)
class Ban:
    """
    Refuse a source for a while after repeated failed sniffs.

    @ivar failures: connections that no route wanted.
    @ivar within: seconds in which they have to happen.
    @ivar duration: seconds for which the source is refused.
    """

    failures: int
    within: float
    duration: float


@attrs.frozen(slots=True)
class Limits:
    """
    @ivar connections: live ones of the listener; None: any number.
    @ivar per_source: live ones of a source.
    @ivar rate: new connections a second of a source, as an average; as many
        may come at once, but at least one.
    """

    connections: int | None = None
    per_source: int | None = None
    rate: float | None = None
    ban: Ban | None = None

    @property
    def by_source(self) -> bool:
        return not (self.per_source is None and self.rate is None and self.ban is None)


@attrs.define(eq=False, slots=True)
class Count:
    """
    @ivar most: None: any number.
    @ivar recount: counts connections out that are over, where that may have been
        put off; says whether it may have been.
    """

    most: int | None = None
    live: int = 0
    recount: Callable[[], bool] = attrs.field(default=lambda: False, repr=False)

    @property
    def full(self) -> bool:
        return self.most is not None and self.live >= self.most


@attrs.define(eq=False, slots=True)
class _Source:
    """
    @ivar tokens: connections that the rate would let in at C{filled}.
    @ivar failures: when sniffs failed, as far as that may still count.
    """

    tokens: float
    filled: float
    live: int = 0
    failures: tuple[float, ...] = ()


def source_key(source: Address) -> str | None:
    """@return: what counts as one source; None for a unix socket."""
    if not isinstance(source, Host):
        return None
    if ":" not in source.host:
        return source.host
    address = IPv6Address(source.host.partition("%")[0])
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64)) + "/64"


@attrs.define(eq=False)
class Gate:
    """
    Counts a listener's connections and says which may come in.

    @ivar limits: they may change at any time.
    @ivar table: sources remembered at most, beside those that are live.
    @ivar bans: how many there were.
    """

    limits: Limits
    whole: Count
    table: int = TABLE
    live: int = attrs.field(default=0, init=False)
    bans: int = attrs.field(default=0, init=False)
    _active: dict[str, _Source] = attrs.field(factory=dict, init=False, repr=False)
    _idle: OrderedDict[str, _Source] = attrs.field(
        factory=OrderedDict, init=False, repr=False
    )
    _banned: OrderedDict[str, float] = attrs.field(
        factory=OrderedDict, init=False, repr=False
    )

    def key(self, source: Address) -> str | None:
        """@return: what is counted for it; None where sources do not matter."""
        return source_key(source) if self.limits.by_source else None

    def admit(self, key: str | None, now: float) -> str | None:
        """
        Count a connection in; give it back by L{release}.

        @param key: what L{key} said of its source.
        @return: None, or the name of the limit that forbids it.
        """
        limits = self.limits
        if self.whole.full:
            return "connections-in-all"
        if limits.connections is not None and self.live >= limits.connections:
            return "connections"
        if key is not None:
            refusal = self._admit_source(key, now)
            if refusal is not None:
                return refusal
        self.live += 1
        self.whole.live += 1
        return None

    def insist(self, refusal: str, key: str | None, now: float) -> str | None:
        """
        Try again, where what is over was perhaps not counted out yet.

        @param refusal: what L{admit} said.
        """
        if refusal in _OF_NUMBER and self.whole.recount():
            return self.admit(key, now)
        return refusal

    def release(self, key: str | None) -> None:
        """A connection that was let in with this key has ended."""
        self.live -= 1
        self.whole.live -= 1
        if key is None:
            return
        entry = self._active[key]
        entry.live -= 1
        if not entry.live:
            del self._active[key]
            if self.limits.rate is not None or self.limits.ban is not None:
                self._remember(key, entry)

    def failed(self, key: str | None, now: float) -> bool:
        """
        No route wanted a connection of this source.

        @return: whether the source is banned by it, from now on.
        """
        ban = self.limits.ban
        if ban is None or key is None:
            return False
        entry = self._entry(key, now)
        recent = [at for at in entry.failures if now - at <= ban.within]
        entry.failures = (*recent, now)
        if len(entry.failures) < ban.failures:
            return False
        entry.failures = ()
        self._ban(key, now, now + ban.duration)
        return True

    def _admit_source(self, key: str, now: float) -> str | None:
        limits = self.limits
        if limits.ban is not None and now < self._banned.get(key, 0.0):
            return "ban"
        entry = self._entry(key, now)
        if limits.per_source is not None and entry.live >= limits.per_source:
            return "per-source"
        if limits.rate is not None and not _take_token(entry, limits.rate, now):
            return "rate"
        entry.live += 1
        if entry.live == 1:
            self._active[key] = self._idle.pop(key)
        return None

    def _entry(self, key: str, now: float) -> _Source:
        entry = self._active.get(key)
        if entry is None:
            entry = self._idle.get(key)
            if entry is None:
                entry = _Source(max(1.0, self.limits.rate or 0.0), now)
            self._remember(key, entry)
        return entry

    def _remember(self, key: str, entry: _Source) -> None:
        """Live sources are never forgotten; they are as many as connections."""
        self._idle[key] = entry
        self._idle.move_to_end(key)
        if len(self._idle) > self.table:
            self._idle.popitem(last=False)

    def _ban(self, key: str, now: float, until: float) -> None:
        """A table of its own: a crowd of others does not push a ban out."""
        banned = self._banned
        banned[key] = until
        banned.move_to_end(key)
        while len(banned) > self.table or next(iter(banned.values())) <= now:
            banned.popitem(last=False)
        self.bans += 1


def _take_token(entry: _Source, rate: float, now: float) -> bool:
    gained = max(0.0, now - entry.filled) * rate
    entry.tokens = min(max(1.0, rate), entry.tokens + gained)
    entry.filled = now
    if entry.tokens < 1.0:
        return False
    entry.tokens -= 1.0
    return True
