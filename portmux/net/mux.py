"""Carry out what a multiplexer decides, with Twisted's transports."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IPushProducer
from zope.interface import implementer

from portmux.core.asked import Asked
from portmux.core.backend import Backend
from portmux.core.counts import Counts
from portmux.core.multiplex import Multiplexer
from portmux.core.mux.asker import Asker
from portmux.core.mux.effects import (
    Answer,
    Dial,
    Drop,
    Effect,
    HangUp,
    Hold,
    Over,
    Send,
)
from portmux.core.mux.link import Link
from portmux.core.mux.tally import Tally
from portmux.core.plan import Lasting
from portmux.core.pool import Pool
from portmux.net.client import Client
from portmux.net.engine import Engine
from portmux.net.life import Ending
from portmux.net.muxlog import MuxLog
from portmux.net.upstream import Upstream


class Hub:
    """
    The clients of one multiplexer, and its connections.

    A L{portmux.core.plan.Lasting}.

    @ivar pools: of the target that is always there, and of those of units.
    @ivar mux: decides; there is none before it has started.
    """

    mux: Multiplexer

    def __init__(
        self,
        options: object,
        pools: Sequence[Pool],
        make: Callable[[Sequence[Pool], Tally], Multiplexer],
        keepalive: float | None,
        log: MuxLog,
    ) -> None:
        """
        @param options: what it was made from; equal to those of another that could
            do the same.
        @param keepalive: seconds until a silent target is asked if it is there.
        """
        self.pools = pools
        self._options = options
        self._make = make
        self._keepalive = keepalive
        self._log = log
        self._route = ""
        self._tally = Tally()
        self._engine: Engine | None = None
        self._mouths: dict[Asker, _Mouth] = {}
        self._upstreams: dict[Link, Upstream] = {}
        self._todo: deque[Effect] = deque()
        self._at_work = False
        self._retired = False
        self._timer: IDelayedCall | None = None
        self._called_at = math.inf
        self._ways: dict[type[Effect], Callable[[Any], None]] = {
            Send: self._send,
            Answer: self._answer,
            Over: self._tell,
            Dial: self._dial,
            Drop: self._drop,
            Hold: self._hold,
            HangUp: self._hang_up,
        }

    # -- its life

    def resembles(self, other: Lasting) -> bool:
        return isinstance(other, Hub) and other._options == self._options

    def count(self, counts: Counts, route: str) -> None:
        if self._engine is None:
            self._tally, self._route = counts.mux(route, Tally), route

    def start(self, engine: Engine) -> None:
        if self._engine is None:
            self._engine = engine
            self.mux = self._make(self.pools, self._tally)
            self._least = self.mux.least
            self._now: Callable[[], float] = engine.reactor.seconds
            self._log.start(engine.reactor, self._route, self._tally)
            for pool in self.pools:
                pool.withdrawn.append(self._withdrawn)
            now = self._now()
            self.carry(self.mux.start(now), now)

    def retire(self) -> None:
        if self._engine is not None:
            self._log.stop()
            now = self._now()
            self._retired = True
            self.carry(self.mux.retire(now), now)
            self._forget_pools()

    async def serve(self, client: Client) -> None:
        """The whole life of a client's connection."""
        self.start(client.engine)
        now = self._now()
        asker = self.mux.join(client.session.source, now)
        mouth = self._mouths[asker] = _Mouth(self, asker, client, self._log)
        self._log.clients += 1
        client.transport.registerProducer(mouth, True)
        client.attach(mouth)
        self.carry([], now)  # it may have so much time for a request
        try:
            await mouth.over.wait()
        finally:
            now = self._now()
            self.carry(self.mux.leave(asker, now), now)
            del self._mouths[asker]
            self._log.clients -= 1
            self._forget_pools()
            client.session.note(requests=asker.requests, failed=asker.failed)

    def _withdrawn(self, backend: Backend) -> None:
        now = self._now()
        self.carry(self.mux.withdraw(backend, now), now)

    def _forget_pools(self) -> None:
        """Pools may live on when nobody is left who would connect to them."""
        if self._retired and not self._mouths:
            for pool in self.pools:
                if self._withdrawn in pool.withdrawn:
                    pool.withdrawn.remove(self._withdrawn)

    # -- what happens

    def heard(self, asker: Asker, data: bytes) -> None:
        """A client has sent something."""
        now = self._now()
        self.carry(self.mux.receive(asker, data, now), now)

    def finished(self, asker: Asker) -> None:
        """A client will send no more."""
        now = self._now()
        self.carry(self.mux.finish(asker, now), now)

    def full(self, asker: Asker, full: bool) -> None:
        """A client does not take its answers, or does again."""
        now = self._now()
        self.carry(self.mux.fill(asker, full, now), now)

    def arrived(self, link: Link, data: bytes) -> None:
        """A target has sent something."""
        if self._log.octets:
            self._log.told("from target", link.backend.address, data)
        now = self._now()
        self.carry(self.mux.arrived(link, data, now), now)

    def ended(self, link: Link) -> None:
        """A target will send no more."""
        now = self._now()
        self.carry(self.mux.ended(link, now), now)

    def lost(self, link: Link, why: str) -> None:
        """A connection to a target is gone, or did not come about."""
        self._upstreams.pop(link, None)
        now = self._now()
        self.carry(self.mux.failed(link, why, now), now)

    def connected(self, link: Link) -> None:
        """A connection to a target is there."""
        now = self._now()
        self.carry(self.mux.connected(link, now), now)

    # -- what follows

    def carry(self, effects: list[Effect], now: float) -> None:
        """Carry out effects in their order, also those of what happens meanwhile."""
        todo = self._todo
        todo += effects
        if self._at_work:
            return
        self._at_work = True
        try:
            while todo:
                effect = todo.popleft()
                self._ways[type(effect)](effect)
        finally:
            self._at_work = False
            if self._called_at > now + self._least or not self._mouths:
                self._watch(now)

    def _send(self, effect: Send) -> None:
        upstream = self._upstreams.get(effect.link)
        if upstream is not None:
            if self._log.octets:
                where = effect.link.backend.address
                self._log.told("to target", where, effect.data)
            upstream.write(effect.data)

    def _answer(self, effect: Answer) -> None:
        mouth = self._mouths.get(effect.asker)
        if mouth is not None:
            if self._log.octets:
                number = mouth.client.session.number
                self._log.told("to client", number, effect.data)
            mouth.write(effect.data)

    def _hold(self, effect: Hold) -> None:
        mouth = self._mouths.get(effect.asker)
        if mouth is not None:
            mouth.hold(effect.held)

    def _hang_up(self, effect: HangUp) -> None:
        mouth = self._mouths.get(effect.asker)
        if mouth is not None:
            mouth.hang_up(effect.how, effect.detail)

    def _drop(self, effect: Drop) -> None:
        upstream = self._upstreams.pop(effect.link, None)
        if upstream is not None:
            upstream.drop(effect.reset)

    def _tell(self, over: Over) -> None:
        """Write down what became of a request, as long as its client is there."""
        request, engine = over.request, self._engine
        mouth = self._mouths.get(request.asker)
        if mouth is None or engine is None:
            return
        session = mouth.client.session
        sent = request.departed if request.departed >= 0.0 else over.now
        engine.asked(
            Asked(
                request.arrived,
                session.number,
                session.listener,
                session.route,
                session.source,
                request.backend,
                request.unit,
                request.frame.data,
                over.result,
                len(request.frame.data),
                over.size,
                max(0.0, sent - request.arrived),
                max(0.0, over.now - sent),
            )
        )

    def _dial(self, effect: Dial) -> None:
        assert self._engine is not None
        link = effect.link
        upstream = self._upstreams[link] = Upstream(self, link, self._engine)
        upstream.dial(self._keepalive)

    def _watch(self, now: float) -> None:
        """
        Be called in time.

        An earlier call is as good: it finds that there is more time. As long as
        much goes on, that is what happens, and nothing has to be worked out.
        """
        soon, due = now + self._least, self.mux.due(now)
        if soon < due < math.inf and self._mouths:
            due = soon
        if due < self._called_at:
            self._called_at = due
            wait = max(0.0, due - now)
            if self._timer is None:
                assert self._engine is not None
                self._timer = self._engine.reactor.callLater(wait, self._expire)
            else:
                self._timer.reset(wait)
        elif due == math.inf and self._timer and not self._mouths:
            self._timer.cancel()  # nobody may be left; else it is as cheap to keep
            self._timer, self._called_at = None, math.inf

    def _expire(self) -> None:
        self._timer, self._called_at = None, math.inf
        now = self._now()
        self.carry(self.mux.expire(now), now)


@implementer(IPushProducer)
class _Mouth:
    """
    A client: its sink, and what its transport tells to pause.

    @ivar over: nothing will be said to it any more.
    @ivar client: its connection.
    @ivar write: sends to it.
    """

    def __init__(self, hub: Hub, asker: Asker, client: Client, log: MuxLog) -> None:
        self.over = Ending()
        self._log = log
        self._hub = hub
        self._asker = asker
        self.client = client
        self.write = client.write

    def hold(self, held: bool) -> None:
        """Stop reading it, or go on."""
        transport = self.client.transport
        if held:
            transport.pauseProducing()
        else:
            transport.resumeProducing()

    def hang_up(self, how: str, detail: str) -> None:
        self.client.conclude(how, detail)
        self.over.come()

    # -- what it sends

    def received(self, data: bytes) -> None:
        if self._log.octets:
            self._log.told("from client", self.client.session.number, data)
        self._hub.heard(self._asker, data)

    def ended(self) -> None:
        self._hub.finished(self._asker)

    def lost(self) -> None:
        self.over.come()

    # -- how fast it reads

    def pauseProducing(self) -> None:
        self._hub.full(self._asker, True)

    def resumeProducing(self) -> None:
        self._hub.full(self._asker, False)

    def stopProducing(self) -> None:
        """The client is gone, and C{lost} says so."""
