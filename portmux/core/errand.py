"""One session's dealings with a pool: it tries backends, waits, holds one, lets go."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from portmux.core.address import Address
from portmux.core.backend import Backend
from portmux.core.limits import source_key
from portmux.core.plan import Forwarding
from portmux.core.waiting import Ticket


@attrs.define(eq=False, slots=True)
class Errand:
    """
    Whatever happens to the session, L{let_go} leaves nothing behind in the pool.

    @ivar source: of the session.
    @ivar backend: what it holds.
    @ivar last: what it held last, or holds.
    @ivar attempts: to connect, that have begun.
    @ivar queued: seconds that it has waited for room.
    @ivar failure: the session's end, once L{next} has given none.
    @ivar why: what went wrong so far.
    """

    plan: Forwarding
    source: Address
    backend: Backend | None = attrs.field(default=None, init=False)
    last: Backend | None = attrs.field(default=None, init=False)
    attempts: int = attrs.field(default=0, init=False)
    queued: float = attrs.field(default=0.0, init=False)
    failure: str = attrs.field(default="", init=False)
    why: str = attrs.field(default="", init=False)
    _tried: tuple[Backend, ...] = attrs.field(default=(), init=False)
    _pending: bool = attrs.field(default=False, init=False)
    _ticket: Ticket | None = attrs.field(default=None, init=False)
    _since: float = attrs.field(default=0.0, init=False)

    @property
    def timeout(self) -> float:
        """Seconds for one attempt."""
        given = self.plan.timeout
        return self.plan.pool.settings.timeout if given is None else given

    def next(
        self, now: float, recount: Callable[[], bool] = lambda: False
    ) -> Backend | Ticket | None:
        """
        Let go of what it has, and take another backend.

        @param recount: see L{Count}; asked where there is no room.
        @return: a ticket when there is room in the queue only; None: it is over.
        """
        if self.attempts or self._ticket is not None:
            self.let_go(now)
        pool, most = self.plan.pool, self.plan.attempts
        if most is None:
            most = pool.settings.attempts
        if most is None or self.attempts < most:
            source = source_key(self.source) if pool.by_source else None
            backend = pool.acquire(self._tried, source, now)
            if backend is None and pool.is_crowded(self._tried):
                if recount():
                    backend = pool.acquire(self._tried, source, now)
                if backend is None:
                    return self._queue(now)
            if backend is None and self._tried and most is not None:
                self._tried = ()
                backend = pool.acquire((), source, now)
            if backend is not None:
                return self._hold(backend)
        self.failure = "connect-failed" if self.attempts else "no-backend"
        if not self.attempts:
            self._note(f"pool {pool.name}: no backend is up")
        return None

    def turn(self, now: float) -> Backend | None:
        """@return: what the ticket has got; None: it has not, or is not needed."""
        ticket = self._ticket
        if ticket is None or ticket.backend is None:
            return None
        backend, ticket.backend = ticket.backend, None
        self._leave(now)
        return self._hold(backend)

    def connected(self, now: float) -> None:
        """The backend is there."""
        self.why = ""
        if self.backend is not None:
            self._settle(self.backend)
            self.plan.pool.connected(self.backend, now)

    def failed(self, why: str, now: float) -> None:
        """@param why: the backend is not, in one clause."""
        if self.backend is not None:
            self._note(f"{self.backend.address}: {why}")
            self.plan.pool.failed(self.backend, why, now)

    def expired(self, now: float) -> None:
        """It has waited for too long."""
        pool = self.plan.pool
        pool.waiting.expired += 1
        self._note(f"pool {pool.name}: waited {pool.settings.queue.timeout:g} s")
        self._leave(now)

    def let_go(self, now: float) -> None:
        """Hold nothing, and wait for nothing."""
        self._leave(now)
        backend, self.backend = self.backend, None
        if backend is not None:
            self._settle(backend)
            self.plan.pool.release(backend)

    def _hold(self, backend: Backend) -> Backend:
        self.backend = self.last = backend
        self._tried += (backend,)
        self.attempts += 1
        self._pending = True
        backend.pending += 1
        return backend

    def _settle(self, backend: Backend) -> None:
        """It is known how connecting to it went, or nobody asks any more."""
        if self._pending:
            self._pending = False
            backend.pending -= 1

    def _queue(self, now: float) -> Ticket | None:
        self._ticket, self._since = self.plan.pool.enqueue(self._tried), now
        if self._ticket is None:
            self.failure = "queue-full"
            self._note(f"pool {self.plan.pool.name}: no backend has room")
        return self._ticket

    def _leave(self, now: float) -> None:
        if self._ticket is not None:
            self.plan.pool.leave(self._ticket)
            self._ticket = None
            waited = max(0.0, now - self._since)
            self.queued += waited
            self.plan.pool.waiting.waited.observe(waited)

    def _note(self, what: str) -> None:
        self.why = f"{self.why}; {what}" if self.why else what
