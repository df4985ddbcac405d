"""
Backends, the choice between them, and who is using which.

Whoever takes a backend gives it back, and says in between how connecting to it
went. Times are seconds of the sessions' clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from random import Random

import attrs

from portmux.core.address import Address
from portmux.core.backend import Backend, Change, State
from portmux.core.health import Ejection
from portmux.core.reach import PLAIN, Reach
from portmux.core.sticky import Sticky
from portmux.core.strategies import Strategy, chooser
from portmux.core.waiting import NO_QUEUE, Line, Queue, Ticket
from portmux.errors import PoolError


@attrs.frozen(slots=True)
class Settings:
    """
    How a pool works.

    @ivar timeout: seconds for one attempt, resolving and TLS included.
    @ivar attempts: for one client, on other backends first, then again; None:
        each backend once.
    @ivar eject: None: a backend that fails is tried for every session.
    @ivar slow_start: seconds in which a backend that is back gets to its weight.
    @ivar sticky: seconds for which a source comes back to its backend.
    """

    strategy: Strategy = Strategy.FIRST_AVAILABLE
    timeout: float = 10.0
    attempts: int | None = None
    eject: Ejection | None = None
    slow_start: float | None = None
    sticky: float | None = None
    queue: Queue = NO_QUEUE
    reach: Reach = PLAIN


@attrs.define(eq=False, slots=True)
class Pool:
    """
    @ivar name: a pool's in the configuration, or C{LISTENER/ROUTE}.
    @ivar observers: told of every change of a backend, after it.
    @ivar withdrawn: told of a backend that an operator gives to nobody any more, so
        that what would use it for ever looks for another one.
    @ivar waiting: sessions for which there was no room yet.
    @ivar by_source: whether it matters where a session comes from.
    @ivar checks_failed: of ejected backends, removed ones included.
    """

    name: str = ""
    settings: Settings = attrs.field(factory=Settings)
    observers: list[Callable[[Change], None]] = attrs.field(factory=list, repr=False)
    withdrawn: list[Callable[[Backend], None]] = attrs.field(
        factory=list, init=False, repr=False
    )
    waiting: Line = attrs.field(factory=Line, init=False, repr=False)
    by_source: bool = attrs.field(default=False, init=False)
    checks_failed: int = attrs.field(default=0, init=False)
    _backends: dict[Address, Backend] = attrs.field(factory=dict, init=False)
    _random: Random = attrs.field(factory=Random, repr=False)
    _usable: Sequence[Backend] = attrs.field(default=(), init=False, repr=False)
    _choose: Callable[[Sequence[Backend], str | None, float], Backend] = attrs.field(
        init=False, repr=False
    )
    _turns: int = attrs.field(default=0, init=False, repr=False)
    _bounded: bool = attrs.field(default=False, init=False, repr=False)
    _sticky: Sticky = attrs.field(factory=Sticky, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.configure(self.settings)

    @classmethod
    def of(
        cls,
        backends: Iterable[Address | Backend],
        settings: Settings | None = None,
        name: str = "",
    ) -> Pool:
        """An address that stands there twice is one backend."""
        pool = cls(name, settings or Settings())
        for given in backends:
            backend = given if isinstance(given, Backend) else Backend(given)
            pool._backends.setdefault(backend.address, backend)
        pool._review()
        return pool

    # -- what there is

    @property
    def backends(self) -> tuple[Backend, ...]:
        return tuple(self._backends.values())

    def find(self, address: Address) -> Backend | None:
        return self._backends.get(address)

    @property
    def queued(self) -> int:
        """Sessions that wait now."""
        return len(self.waiting)

    # -- what sessions do

    def acquire(
        self,
        tried: Collection[Backend] = (),
        source: str | None = None,
        now: float = 0.0,
    ) -> Backend | None:
        """
        Take a backend that was not tried yet; give it back by L{release}.

        @param source: what counts as one source, where C{by_source}.
        @return: None when there is none that has room.
        """
        backends = self._usable
        if tried or self._bounded:
            backends = [
                each for each in backends if each not in tried and each.has_room
            ]
        sticky = self.settings.sticky if source is not None else None
        backend = None
        if sticky is not None and source is not None:
            backend = self._stuck_to(source, tried, now)
        if backend is None:
            if not backends:
                return None
            if len(backends) == 1:
                backend = backends[0]
            else:
                backend = self._choose(backends, source, now)
        if sticky is not None and source is not None:
            self._sticky.put(source, backend, now + sticky)
        self._take(backend)
        return backend

    def release(self, backend: Backend) -> None:
        """A session does without it from now on."""
        backend.active -= 1
        if self.waiting and backend in self._usable:
            self._call_for(backend)

    def connected(self, backend: Backend, now: float) -> None:
        """An attempt to connect to it has succeeded."""
        backend.totals.sessions += 1
        if backend.health.errors:
            self._recover(backend, now)

    def failed(self, backend: Backend, why: str, now: float) -> None:
        """@param why: an attempt to connect to it has failed, in one clause."""
        backend.totals.errors += 1
        backend.health.failed(why, now)
        rule = self.settings.eject
        if rule is not None and backend.health.errors >= rule.errors:
            self._eject(backend, rule, now)

    def checked(self, backend: Backend, why: str | None, now: float) -> None:
        """@param why: an ejected backend was tried and failed; None: it succeeded."""
        if not backend.health.ejected:
            return  # an operator was faster
        if why is None:
            self._recover(backend, now)
            return
        self.checks_failed += 1
        backend.totals.errors += 1
        backend.health.failed(why, now)
        backend.health.postpone(self.settings.eject or Ejection(), now)

    # -- the queue

    def is_crowded(self, tried: Collection[Backend] = ()) -> bool:
        """@return: whether it is only for want of room that L{acquire} gives none."""
        return any(each not in tried for each in self._usable)

    def enqueue(self, tried: Collection[Backend]) -> Ticket | None:
        """@return: None: as many wait as may. Whoever leaves says so by L{leave}."""
        return self.waiting.enter(tried, self.settings.queue.length)

    def leave(self, ticket: Ticket) -> None:
        """Nobody waits for it any more; what it was given goes to the next one."""
        backend, ticket.backend, ticket.call = ticket.backend, None, None
        self.waiting.leave(ticket)
        if backend is not None:
            self.release(backend)

    # -- what operators do

    def add(
        self, address: Address, now: float, weight: int = 1, most: int | None = None
    ) -> Backend:
        """@raise PoolError: it is there already."""
        if address in self._backends:
            raise PoolError(f"{address} is in the pool {self.name} already")
        backend = Backend(address, weight, most)
        backend.since = now
        backend.warm_up(self.settings.slow_start, now)
        self._backends[address] = backend
        self._review()
        self._tell(backend, None, State.UP, "added", now)
        self._call_queue()
        return backend

    def remove(self, backend: Backend, now: float) -> None:
        """Nobody new is given to it; who has it keeps it, and gives it back."""
        if self._backends.get(backend.address) is not backend:
            return
        before = backend.state
        del self._backends[backend.address]
        self._review()
        self._tell(backend, before, None, "removed", now)
        self._withdraw(backend)

    def enable(self, backend: Backend, now: float) -> None:
        """It is up, whatever was the matter with it."""
        before = backend.state
        backend.wanted = State.UP
        backend.health.restore()
        self._changed(backend, before, "enabled", now)

    def disable(self, backend: Backend, now: float, reason: str = "disabled") -> None:
        """Nobody is given to it, and nobody checks it; who has it keeps it."""
        self._want(backend, State.DISABLED, reason, now)

    def drain(self, backend: Backend, now: float, reason: str = "draining") -> None:
        """Nobody new is given to it, but who sticks to it."""
        self._want(backend, State.DRAINING, reason, now)

    def reweigh(self, backend: Backend, weight: int) -> None:
        """@param weight: 1 or more."""
        backend.weight = weight
        self._review()

    def bound(self, backend: Backend, most: int | None) -> None:
        """@param most: sessions that it may have at a time; None: any number."""
        backend.most = most
        self._review()
        self._call_queue()

    def configure(self, settings: Settings) -> None:
        """Work so from now on. Backends that are ejected stay so until a check."""
        self.settings = settings
        self._choose = chooser(settings.strategy, self._random)
        hashed = settings.strategy is Strategy.SOURCE_HASH
        self.by_source = hashed or settings.sticky is not None
        if settings.sticky is None:
            self._sticky = Sticky()
        self._review()

    def begin(self, name: str, now: float) -> None:
        """It is in use from now on, under this name."""
        self.name = name
        for backend in self._backends.values():
            backend.since = now

    def follow(self, wanted: Iterable[Backend], now: float) -> None:
        """
        Have backends like these, in this order.

        One whose address stays keeps its state, its sessions and its numbers.
        """
        wanted = list(wanted)
        addresses = {each.address for each in wanted}
        for backend in self.backends:
            if backend.address not in addresses:
                self.remove(backend, now)
        for each in wanted:
            backend = self._backends.get(each.address) or self.add(each.address, now)
            backend.weight, backend.most = each.weight, each.most
        order = [each.address for each in wanted]
        self._backends = {address: self._backends[address] for address in order}
        self._review()
        self._call_queue()

    # -- inside

    def _take(self, backend: Backend) -> None:
        backend.active += 1
        backend.given += 1
        self._turns += 1
        backend.turn = self._turns

    def _stuck_to(
        self, source: str, tried: Collection[Backend], now: float
    ) -> Backend | None:
        backend = self._sticky.find(source, now)
        if backend is None or backend in tried or not backend.has_room:
            return None
        if self._backends.get(backend.address) is not backend:
            return None
        return backend if backend.state in (State.UP, State.DRAINING) else None

    def _eject(self, backend: Backend, rule: Ejection, now: float) -> None:
        if backend.state is not State.UP or not self._may_eject(rule):
            return
        backend.health.eject(rule, now)
        backend.totals.ejections += 1
        self._changed(backend, State.UP, backend.health.last_reason, now)

    def _may_eject(self, rule: Ejection) -> bool:
        states = [each.state for each in self._backends.values()]
        if rule.most is None:
            return states.count(State.UP) > 1
        return states.count(State.EJECTED) < rule.most

    def _recover(self, backend: Backend, now: float) -> None:
        before = backend.state
        backend.health.restore()
        if backend.state is not before:
            self._changed(backend, before, "can be connected to", now)

    def _want(self, backend: Backend, state: State, reason: str, now: float) -> None:
        before = backend.state
        backend.wanted = state
        backend.health.restore()
        self._changed(backend, before, reason, now)
        self._withdraw(backend)

    def _withdraw(self, backend: Backend) -> None:
        for told in list(self.withdrawn):
            told(backend)

    def _changed(
        self, backend: Backend, before: State, reason: str, now: float
    ) -> None:
        after = backend.state
        if after is before:
            return
        backend.reason, backend.since = reason, now
        if after is State.UP:
            backend.warm_up(self.settings.slow_start, now)
        self._review()
        self._tell(backend, before, after, reason, now)
        self._call_queue()

    def _review(self) -> None:
        """Sessions are for the backends that are up; without any, see L{Ejection}."""
        backends = self._backends.values()
        usable = [each for each in backends if each.state is State.UP]
        eject = self.settings.eject
        if not usable and (eject is None or eject.most is None):
            usable = [each for each in backends if each.state is State.EJECTED]
        self._usable = usable
        self._bounded = any(each.most is not None for each in usable)
        for each in backends:
            each.given, each.credit = 0, 0.0

    def _tell(
        self,
        backend: Backend,
        before: State | None,
        after: State | None,
        reason: str,
        now: float,
    ) -> None:
        change = Change(self, backend, before, after, reason, now)
        for observer in list(self.observers):
            observer(change)

    def _call_queue(self) -> None:
        for backend in self._usable:
            while self.waiting and self._call_for(backend):
                pass

    def _call_for(self, backend: Backend) -> bool:
        """@return: whether someone waited for it, and has it now."""
        ticket = self.waiting.first_for(backend) if backend.has_room else None
        if ticket is None:
            return False
        self._take(backend)
        ticket.backend = backend
        if ticket.call is not None:
            ticket.call()
        return True
