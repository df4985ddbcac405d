"""
How many connections may be there, and how fast they may come.

One L{Gate} a listener, all of them below one L{Count} of the process. Sources
are IPv4 addresses and IPv6 /64 networks; unix sockets have none and are
limited in number only.
"""

from __future__ import annotations

from ipaddress import IPv6Address

import attrs

from portmux.core.address import Address, Host

TABLE = 65536
"""Sources remembered at most; the longest unused is forgotten first (taste)."""


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
    """@ivar most: None: any number."""

    most: int | None = None
    live: int = 0

    @property
    def full(self) -> bool:
        return self.most is not None and self.live >= self.most


@attrs.define(eq=False, slots=True)
class _Source:
    live: int = 0
    tokens: float = 0.0
    filled: float = 0.0
    failures: int = 0
    failing_since: float = 0.0
    banned_until: float = 0.0


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
    """Counts a listener's connections and says which may come in."""

    limits: Limits
    whole: Count
    live: int = attrs.field(default=0, init=False)
    bans: int = attrs.field(default=0, init=False)
    _sources: dict[str, _Source] = attrs.field(factory=dict, init=False, repr=False)

    def admit(self, source: Address, now: float) -> str | None:
        """
        Count a connection in; give it back by L{release}.

        @return: None, or the name of the limit that forbids it.
        """
        limits = self.limits
        if self.whole.full:
            return "connections-in-all"
        if limits.connections is not None and self.live >= limits.connections:
            return "connections"
        if limits.by_source:
            refusal = self._admit_source(source, now)
            if refusal is not None:
                return refusal
        self.live += 1
        self.whole.live += 1
        return None

    def release(self, source: Address) -> None:
        """A connection that was let in has ended."""
        self.live -= 1
        self.whole.live -= 1
        if self._sources:
            entry = self._sources.get(source_key(source) or "")
            if entry is not None and entry.live:
                entry.live -= 1

    def failed(self, source: Address, now: float) -> bool:
        """
        No route wanted a connection of this source.

        @return: whether the source is banned by it, from now on.
        """
        ban, key = self.limits.ban, source_key(source)
        if ban is None or key is None:
            return False
        entry = self._entry(key, now)
        if now - entry.failing_since > ban.within:
            entry.failures, entry.failing_since = 0, now
        entry.failures += 1
        if entry.failures < ban.failures:
            return False
        entry.failures = 0
        entry.banned_until = now + ban.duration
        self.bans += 1
        return True

    def _admit_source(self, source: Address, now: float) -> str | None:
        key = source_key(source)
        if key is None:
            return None
        limits, entry = self.limits, self._entry(key, now)
        if limits.ban is not None and now < entry.banned_until:
            return "ban"
        if limits.per_source is not None and entry.live >= limits.per_source:
            return "per-source"
        if limits.rate is not None:
            most = max(1.0, limits.rate)
            entry.tokens = min(most, entry.tokens + (now - entry.filled) * limits.rate)
            entry.filled = now
            if entry.tokens < 1.0:
                return "rate"
            entry.tokens -= 1.0
        entry.live += 1
        return None

    def _entry(self, key: str, now: float) -> _Source:
        entry = self._sources.pop(key, None)
        if entry is None:
            self._make_room(now)
            burst = max(1.0, self.limits.rate or 0.0)
            entry = _Source(tokens=burst, filled=now, failing_since=now)
        self._sources[key] = entry  # last in order: the most recently used
        return entry

    def _make_room(self, now: float) -> None:
        """Forget the longest unused source that is neither live nor banned."""
        if len(self._sources) < TABLE:
            return
        for key, entry in self._sources.items():
            if not entry.live and now >= entry.banned_until:
                del self._sources[key]
                return
        del self._sources[next(iter(self._sources))]
