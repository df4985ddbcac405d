"""What the sessions of a listener have in common."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from portmux.core.backend import Backend
from portmux.core.counts import Counts, Tally
from portmux.core.limits import Gate
from portmux.core.plan import Forwarding, Lasting, Serving
from portmux.core.sniff import Table, Way


@attrs.define(eq=False, slots=True)
class Policy:
    """
    How a listener's sessions are sniffed, limited and ended.

    @ivar timeout: seconds to sniff at most; None: any time.
    @ivar silent: seconds to wait for a first byte; None: as C{timeout} says.
    @ivar idle: seconds without a byte either way.
    @ivar half_close: seconds without a byte once one side has finished.
    @ivar counts: what became of the listener's sessions; outlives its policies.
    @ivar descriptors: files that one session may need at the most.
    @ivar patience: seconds until a first byte must have come.
    @ivar half_first: C{half_close} is over before C{idle}.
    """

    listener: str
    table: Table
    gate: Gate
    timeout: float | None = None
    silent: float | None = None
    idle: float | None = None
    half_close: float | None = None
    keepalive: bool = True
    nodelay: bool = True
    counts: Counts = attrs.field(factory=Counts, repr=False)
    descriptors: int = attrs.field(init=False)
    patience: float | None = attrs.field(init=False)
    half_first: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        waits = [wait for wait in (self.silent, self.timeout) if wait is not None]
        self.patience = min(waits, default=None)
        idle, half = self.idle, self.half_close
        self.half_first = half is not None and (idle is None or half < idle)
        self.descriptors = 1 + max(_descriptors(way) for way in self.table.ways())
        for way in self.table.ways():
            if isinstance(way.plan, Forwarding):
                for backend in way.plan.pool.backends:
                    self.tally(backend)
        for name, lasting in self.lasting():
            lasting.count(self.counts, name)

    def lasting(self) -> Iterator[tuple[str, Lasting]]:
        """@return: what plans keep from one session to the next, by the way's name."""
        for way in self.table.ways():
            if isinstance(way.plan, Serving) and way.plan.lasting is not None:
                yield way.name, way.plan.lasting

    def tally(self, backend: Backend) -> Tally:
        """@return: where it is counted how connecting to it goes, for this listener."""
        tally = backend.tallies.get(self.listener)
        if tally is None:
            tally = self.counts.backend(str(backend.address))
            backend.tallies[self.listener] = tally
        return tally


def _descriptors(way: Way) -> int:
    return way.plan.descriptors if isinstance(way.plan, Serving) else 1
