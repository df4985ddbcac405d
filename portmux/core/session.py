"""
Every decision of a session, as pure code: events in, effects out.

An engine owns the sockets. It tells a session what happened and carries out
the effect it is given back; it holds no policy of its own, so retries, limits,
deadlines and records are the same whichever engine runs.

The life of a session::

    open ─ received… ─┬─ Dial ─ connected ─ Relay ─ finished… ─┬─ Close ─ closed
                      ├─ Queued ─ turn ─ Dial …                │
                      ├─ Adopt ─ served ───────────────────────┤
                      └─ Close ────────────────────────────────┘

Times are seconds of one clock whose zero is 1970; C{deadline} is when
L{Session.expire} wants to be called, and may be late in noticing that there
is more time: it says so by a new C{deadline}.
"""

from __future__ import annotations

from itertools import count
from typing import Final

import attrs

from portmux.core.account import account
from portmux.core.address import Address
from portmux.core.backend import Backend
from portmux.core.effects import (
    CLOSE,
    FINISH,
    RELAY,
    RESET,
    WAIT,
    Adopt,
    Dial,
    Effect,
    Phase,
    Queued,
    Side,
)
from portmux.core.errand import Errand
from portmux.core.plan import Forwarding, Serving
from portmux.core.policy import Policy
from portmux.core.record import Record, hint
from portmux.core.sniff import Cause, Decision, Sniffer, Way
from portmux.core.waiting import Ticket

LINGER: Final = 10.0
"""Seconds for the last bytes to reach a peer that was told the end (taste)."""

HAD_ENDED: Final = "it had ended, and took nothing that came then"
"""Detail of a backend that seemed to have said all, and was gone."""

_NUMBERS = count(1)

# On Python 3.11 a member read off its class costs as much as a call (measured).
_SNIFF, _QUEUE, _DIAL, _RELAY, _SERVE, _CLOSE, _OVER = Phase


@attrs.define(eq=False, slots=True)
class Session:
    """
    One live client connection.

    @ivar sent: payload octets from the client that were passed on; engines add.
    @ivar received: payload octets that were passed on to the client; engines add.
    @ivar touched: when a byte last moved; engines set it.
    @ivar held: the bytes seen while sniffing, until the engine takes them.
    @ivar half_closed: the side that will send no more; when L{Relay} or
        L{Adopt} is given, it may already be the client.
    @ivar way: the one that was decided on.
    @ivar errand: to a pool, of what is forwarded.
    @ivar cause: what the record says, as do C{pattern}, C{facts}, C{sniffed},
        C{hint} and C{detail}.
    @ivar how: the record's C{end}.
    """

    policy: Policy
    source: Address
    local: Address
    opened: float
    number: int = attrs.field(init=False)
    phase: Phase = attrs.field(default=_SNIFF, init=False)
    deadline: float | None = attrs.field(default=None, init=False)
    touched: float = attrs.field(default=0.0, init=False)
    sent: int = attrs.field(default=0, init=False)
    received: int = attrs.field(default=0, init=False)
    held: bytes = attrs.field(default=b"", init=False, repr=False)
    half_closed: Side | None = attrs.field(default=None, init=False)
    way: Way | None = attrs.field(default=None, init=False)
    errand: Errand | None = attrs.field(default=None, init=False, repr=False)
    cause: str = attrs.field(default="-", init=False)
    pattern: int | None = attrs.field(default=None, init=False)
    facts: tuple[tuple[str, str], ...] = attrs.field(default=(), init=False)
    sniffed: float = attrs.field(default=0.0, init=False)
    hint: str = attrs.field(default="", init=False, repr=False)
    how: str = attrs.field(default="", init=False)
    detail: str = attrs.field(default="", init=False)
    _sniffer: Sniffer | None = attrs.field(default=None, init=False, repr=False)
    _key: str | None = attrs.field(default=None, init=False, repr=False)
    _admitted: bool = attrs.field(default=False, init=False)
    _dialled: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.number = next(_NUMBERS)
        self.policy.counts.accepted += 1

    @property
    def listener(self) -> str:
        return self.policy.listener

    @property
    def route(self) -> str:
        """The way's name; C{-} before a decision."""
        return self.way.name if self.way is not None else "-"

    @property
    def backend(self) -> Backend | None:
        """The one that it is, or would be, connected to."""
        return None if self.errand is None else self.errand.backend

    @property
    def forwarded(self) -> bool:
        """Whether it goes to a backend, or would if one could be had."""
        return self.errand is not None

    # -- sniffing

    def open(self) -> Effect:
        """The client was accepted."""
        policy, now = self.policy, self.opened
        self.touched = now
        self._key = policy.gate.key(self.source)
        refusal = policy.gate.admit(self._key, now)
        if refusal is not None:
            refusal = policy.gate.insist(refusal, self._key, now)
        if refusal is not None:
            self.cause = "refused"
            return self.end(f"limit-{refusal}")
        self._admitted = True
        decision = policy.table.accept(self.source, self.local, now)
        if decision is not None:
            return self._decide(decision, now)
        if policy.patience is not None:
            self.deadline = now + policy.patience
        return WAIT

    def receive(self, data: bytes, now: float) -> Effect:
        """
        Bytes of the client came while sniffing.

        In any other phase they are not the session's: the engine passes them on.
        """
        if self.phase is not _SNIFF:
            return WAIT
        self.touched = now
        if self._sniffer is not None:
            decision = self._sniffer.feed(data)
            if decision is not None:
                return self._decide(decision, now)
        else:
            self.held = data
            found = self.policy.table.first(data, self.source, self.local, self.opened)
            if isinstance(found, Decision):
                return self._decide(found, now)
            self._sniffer, self.held = found, b""
        timeout = self.policy.timeout
        self.deadline = None if timeout is None else self.opened + timeout
        return WAIT

    def _give_up(self, cause: Cause, now: float) -> Effect:
        if self._sniffer is not None:
            return self._decide(self._sniffer.give_up(cause), now)
        unheard = Cause.SILENT if cause is Cause.TIMEOUT else cause
        table = self.policy.table
        found = table.unheard(unheard, self.source, self.local, self.opened)
        return self._decide(found, now)

    def _decide(self, decision: Decision, now: float) -> Effect:
        policy, sniffer, way = self.policy, self._sniffer, decision.way
        table = policy.table
        if sniffer is not None:
            self.held, self._sniffer = sniffer.data, None
        if self.held or decision.matcher is not None:
            reason = table.reason(decision, sniffer)
            if reason is not None:
                self.pattern, self.facts = reason.pattern, reason.facts
        if decision.matcher is None and self.held:
            self.hint = hint(policy.listener, self.held)
        self.cause, self.sniffed = decision.cause.value, now - self.opened
        self.deadline = None
        unwanted = table.unwanted(decision, bool(self.held))
        if unwanted and policy.gate.failed(self._key, now):
            policy.counts.bans += 1
            self.detail = "source is banned now"
        if way.count.full:
            policy.gate.whole.recount()
        if way.count.full:
            self.cause = "refused"
            return self.end("limit-route-connections", f"route {way.name}")
        self.way = way
        way.count.live += 1
        return self._carry_out(way, now)

    def _carry_out(self, way: Way, now: float) -> Effect:
        plan = way.plan
        if isinstance(plan, Forwarding):
            self.errand = Errand(plan, self.source)
            return self._try(self.errand, now)
        if isinstance(plan, Serving):
            self.phase = _SERVE
            self._watch()
            return Adopt(plan)
        self.end("closed" if way.chosen else "no-route")
        return RESET if plan.reset else CLOSE

    # -- connecting

    def _try(self, errand: Errand, now: float) -> Effect:
        found = errand.next(now, self.policy.gate.whole.recount)
        if isinstance(found, Backend):
            return self._dial(errand, found, now)
        if isinstance(found, Ticket):
            self.phase = _QUEUE
            self.deadline = now + errand.plan.pool.settings.queue.timeout
            return Queued(found)
        return self.end(errand.failure, errand.why)

    def _dial(self, errand: Errand, backend: Backend, now: float) -> Effect:
        self.phase = _DIAL
        self.policy.tally(backend).attempts += 1
        self._dialled = now
        self.deadline = now + errand.timeout
        plan = errand.plan
        return Dial(backend.address, plan.pool.settings.reach, plan.source)

    def turn(self, now: float) -> Effect:
        """The ticket of the last L{Queued} was called."""
        errand = self.errand
        if self.phase is not _QUEUE or errand is None:
            return WAIT
        backend = errand.turn(now)
        return WAIT if backend is None else self._dial(errand, backend, now)

    def connected(self, now: float) -> Effect:
        """The backend of the last L{Dial} is there."""
        errand = self.errand
        if self.phase is not _DIAL or errand is None:
            return CLOSE if self._ending else WAIT
        self.phase = _RELAY
        if errand.backend is not None:
            connected = self.policy.tally(errand.backend).connected
            connected.observe(now - self._dialled)
        errand.connected(now)
        self.touched = now
        self._watch()
        return RELAY

    def connect_failed(self, why: str, now: float) -> Effect:
        """@param why: one clause, such as C{connection refused}."""
        errand = self.errand
        if self.phase is not _DIAL or errand is None:
            return WAIT
        if errand.backend is not None:
            self.policy.tally(errand.backend).errors += 1
        errand.failed(why, now)
        return self._try(errand, now)

    # -- the two sides

    def finished(self, side: Side, now: float) -> Effect:
        """This side will send no more; the other direction goes on."""
        if self._ending or self.half_closed is side:
            return WAIT
        if self.phase in (_SNIFF, _QUEUE, _DIAL) and side is Side.BACKEND:
            return WAIT  # there is none yet
        if self.half_closed is not None:
            return self.end("done") if self.phase is _RELAY else WAIT
        self.half_closed = side
        if self.phase is _SNIFF:
            return self._give_up(Cause.EOF, now)
        if self.phase in (_RELAY, _SERVE):
            self.touched = now
            self._watch()
        if self.phase is _RELAY:
            other = Side.BACKEND if side is Side.CLIENT else Side.CLIENT
            return FINISH[other]
        return WAIT

    def lost(self, side: Side, now: float, why: str = "") -> Effect:
        """
        This side's connection is gone without an orderly end.

        @param why: one clause, where more is known than that.
        """
        if self._ending:
            return WAIT
        if side is Side.BACKEND and self.half_closed is side:
            why = why or HAD_ENDED
        self.end("client-lost" if side is Side.CLIENT else "backend-lost", why)
        return RESET

    def refused(self) -> Effect:
        """
        The client has ended, too, and its last octets were for a backend that has not
        taken them: that had ended before. Here both are closed in order, as nothing
        of the client's is gained by a reset.
        """
        return WAIT if self._ending else self.end("backend-lost", HAD_ENDED)

    def served(self, how: str = "done", detail: str = "") -> Effect:
        """The coroutine of L{Adopt} is over."""
        return self.end(how, detail) if self.phase is _SERVE else WAIT

    # -- time

    def expire(self, now: float) -> Effect:
        """The deadline has passed, or may have."""
        if self.deadline is None or now < self.deadline:
            return WAIT
        if self.phase is _SNIFF:
            return self._give_up(Cause.TIMEOUT, now)
        if self.phase is _DIAL:
            return self.connect_failed("connect timeout", now)
        if self.phase is _QUEUE and self.errand is not None:
            self.errand.expired(now)
            return self.end("queue-timeout", self.errand.why)
        if self.phase is _CLOSE:
            self.deadline = None
            return RESET
        self._watch()
        if self.deadline is None or now < self.deadline:
            return WAIT
        return self.end("half-close-timeout" if self._half_waits() else "idle-timeout")

    def _half_waits(self) -> bool:
        """Whether the wait is for the side that has not finished."""
        return self.half_closed is not None and self.policy.half_first

    def _watch(self) -> None:
        """Have L{expire} called when no byte has moved for too long."""
        policy = self.policy
        wait = policy.half_close if self._half_waits() else policy.idle
        self.deadline = None if wait is None else self.touched + wait

    # -- the end

    def note(self, **facts: object) -> None:
        """What an action has found out, for the record."""
        self.facts += tuple((name, str(fact)) for name, fact in facts.items())

    @property
    def _ending(self) -> bool:
        phase = self.phase
        return phase is _CLOSE or phase is _OVER

    def end(self, how: str, detail: str = "") -> Effect:
        """End the session for a reason of its own, or of an operator."""
        if not self._ending:
            self.phase = _CLOSE
            self.how = how
            self.detail = detail or self.detail
        return CLOSE

    def closing(self, now: float) -> None:
        """The engine has begun to close; what is under way has so long to arrive."""
        if self.phase is _CLOSE:
            self.deadline = now + LINGER

    def closed(self, now: float) -> Record:
        """Both sides' sockets are gone. To be called once, as the very last."""
        self.end("lost")  # unless it was known before how it ends
        self.phase, self.deadline = _OVER, None
        backend, errand = self.backend, self.errand
        if errand is not None:
            self.detail = self.detail or errand.why
            errand.let_go(now)
        if backend is not None:
            backend.totals.sent += self.sent
            backend.totals.received += self.received
        if self.way is not None:
            self.way.count.live -= 1
        if self._admitted:
            self.policy.gate.release(self._key)
        record = account(self, now)
        self.policy.counts.add(record)
        return record
