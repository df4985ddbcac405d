"""
Many clients share few connections: requests in, answers back to who asked.

Pure code. A carrier owns the sockets; it tells a L{Multiplexer} what happened
and carries out the effects that it is given, in their order. Times are seconds
of one clock that never goes back.

What belongs together: nothing is sent on a connection before all that came on it
has been looked at, so what nobody asked for can never pass for the answer to the
request that comes next; and a connection that owes an answer is given up for
good, unless the answer can be told by its number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from portmux.core.address import Address
from portmux.core.backend import Backend
from portmux.core.frame.framer import Framer, Trouble
from portmux.core.mux.asker import Asker, Stage
from portmux.core.mux.clients import Clients
from portmux.core.mux.effects import Dial, Drop, Effect, Send
from portmux.core.mux.exchanges import NO_TURN, Exchanges, Failure
from portmux.core.mux.expert import Expert
from portmux.core.mux.lines import Lines
from portmux.core.mux.link import Link, Phase
from portmux.core.mux.settings import Settings
from portmux.core.mux.tally import Tally
from portmux.core.mux.upstream import Upstream
from portmux.core.pool import Pool

# On Python 3.11 a member read off its class costs as much as a call (measured).
_GONE: Final = Phase.GONE


@attrs.define(eq=False)
class Multiplexer:
    """
    Each event returns what is to be done; L{expire} wants to be called at L{due}.

    @ivar tally: what is counted; it may be shared, and outlive this.
    """

    _framer: Framer
    _settings: Settings
    _pools: Sequence[Pool]
    """Of each target; the first one is the only one where no expert chooses."""
    tally: Tally
    _random: Callable[[], float]
    _expert: Expert | None = None
    _upstreams: list[Upstream] = attrs.field(init=False)
    _clients: Clients = attrs.field(init=False)
    _exchanges: Exchanges = attrs.field(init=False)
    _out: list[Effect] = attrs.field(factory=list, init=False)
    _keep: bool = attrs.field(default=False, init=False)
    _retired: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        settings, framer, tally = self._settings, self._framer, self.tally
        dialogue = framer.dialogue
        if self._expert is not None and not dialogue.numbered:
            # Some are answered at once, which must not overtake others.
            settings = self._settings = attrs.evolve(settings, per_client=1)
        self._upstreams = [
            Upstream(place, pool, settings, tally, framer, self._random)
            for place, pool in enumerate(self._pools)
        ]
        lines = Lines(settings, [one.waiting for one in self._upstreams], tally)
        self._clients = clients = Clients(framer, settings, lines, self._out)
        self._exchanges = exchanges = Exchanges(
            settings,
            dialogue,
            self._expert,
            lines,
            self._out,
            tally,
            clients.read,
            clients.hang_up,
        )
        clients.take, clients.forget = exchanges.take, exchanges.withdraw

    @property
    def least(self) -> float:
        """@return: seconds; nothing that happens now is due any sooner."""
        return self._settings.least

    # -- its life

    def start(self, now: float) -> list[Effect]:
        """Connect at once, if that is wanted."""
        self._keep = self._settings.keep
        return self._go(now)

    def retire(self, now: float) -> list[Effect]:
        """No more clients will come; the connections go with the last one."""
        self._keep, self._retired = False, True
        return self._go(now)

    # -- clients

    def join(self, source: Address, now: float) -> Asker:
        """A client is there."""
        return self._clients.join(source, now)

    def receive(self, asker: Asker, data: bytes, now: float) -> list[Effect]:
        """Bytes of a client came."""
        if asker.gone:
            return []
        asker.reader.feed(data)
        self._clients.read(asker, now)
        return self._go(now)

    def finish(self, asker: Asker, now: float) -> list[Effect]:
        """A client will send no more; it still gets its answers."""
        asker.finished = True
        self._clients.read(asker, now)
        return self._go(now)

    def fill(self, asker: Asker, full: bool, now: float) -> list[Effect]:
        """@param full: a client does not take its answers; or does so again."""
        asker.full = full
        self._clients.read(asker, now)
        return self._go(now)

    def leave(self, asker: Asker, now: float) -> list[Effect]:
        """A client is gone, for whatever reason; to be told once of each."""
        self._clients.leave(asker, now)
        return self._go(now)

    # -- connections to targets

    def connected(self, link: Link, now: float) -> list[Effect]:
        """What was dialled is there."""
        self._upstreams[link.target].connected(link, now)
        return self._go(now)

    def failed(self, link: Link, why: str, now: float) -> list[Effect]:
        """
        It could not be dialled, or it is gone without an orderly end.

        @param why: one clause, such as C{connection refused}.
        """
        if link.phase is not Phase.GONE:
            self._lose(link, why, now)
        return self._go(now)

    def arrived(self, link: Link, data: bytes, now: float) -> list[Effect]:
        """Bytes of a target came."""
        if link.phase is _GONE:
            return []
        before = link.unsolicited
        found = link.receive(data, now)
        if found and self._upstreams[link.target].failures:
            self._upstreams[link.target].answered()
        for request, frame in found:
            self._exchanges.answer(request, frame, now)
        self.tally.unsolicited += link.unsolicited - before
        if link.broken:
            self._drop(link, link.broken, now)
        elif link.closing:
            self._drop_if_over(link, now)
        return self._go(now)

    def ended(self, link: Link, now: float) -> list[Effect]:
        """A target will send no more."""
        if link.phase is not Phase.GONE:
            for request, frame in link.end(now):
                self._exchanges.answer(request, frame, now)
            self._drop(link, link.broken or "closed by the target", now)
        return self._go(now)

    def withdraw(self, backend: Backend, now: float) -> list[Effect]:
        """Nothing more is to go to a backend; what is under way there may end."""
        for upstream in self._upstreams:
            for link in list(upstream.links):
                if link.backend is backend:
                    link.closing = True
                    self._drop_if_over(link, now)
        return self._go(now)

    # -- time

    def due(self, now: float) -> float:
        """@return: when to call L{expire} if nothing happens before; may be never."""
        due = self._clients.due()
        for upstream in self._upstreams:
            due = min(due, upstream.due(self._keep, now))
        return due

    def expire(self, now: float) -> list[Effect]:
        """Some time has passed."""
        for upstream in self._upstreams:
            for link in list(upstream.links):
                self._expire(link, now)
            while (late := upstream.oldest_late(now)) is not None:
                away = Failure(Trouble.UNREACHABLE, "connect-failed", upstream.why)
                why = NO_TURN if upstream.away is None else away
                self._exchanges.fail(late, why, now)
                self._clients.admit(now)
        self._clients.expire(now)
        return self._go(now)

    def _expire(self, link: Link, now: float) -> None:
        settings = self._settings
        if link.phase is Phase.DIALLING:
            if now >= link.opened + settings.connect:
                self._drop(link, "connect timeout", now)
        elif link.phase is Phase.SETTLING:
            self._upstreams[link.target].settle(link, now)
        elif not link.busy and now >= link.ends():
            self._drop(link, "", now)
        while link.busy and now >= link.oldest().departed + settings.answer:
            request = link.oldest()
            if not link.give_up(request):
                self._drop(link, "no answer in time", now)
            self._exchanges.silent(request, now)
        self._drop_if_over(link, now)

    # -- what follows

    def _go(self, now: float) -> list[Effect]:
        """@return: all that is to be done, once there is nothing more."""
        upstreams, more = self._upstreams, True
        several = len(upstreams) > 1
        while more:
            more = False
            for upstream in upstreams:
                if upstream.waiting.called or self._keep:
                    more |= self._serve(upstream, now) and several
            if self._clients.standing:
                more |= self._clients.admit(now)
        if self._retired and not self._clients.count:
            for upstream in self._upstreams:
                for link in list(upstream.links):
                    self._drop(link, "", now)
        out = self._out[:]
        self._out.clear()
        return out

    def _serve(self, upstream: Upstream, now: float) -> bool:
        """
        Send what has its turn, and connect where connections are wanted.

        @return: whether requests for others may have got their turn by that.
        """
        sent = False
        while upstream.waiting.called:
            link = upstream.free(now)
            if link is None:
                break
            sent = True
            data = self._exchanges.send(upstream.place, link, now)
            if data:
                self._out.append(Send(link, data))
        while len(upstream.links) < self._settings.connections:
            link = upstream.dial(self._keep, now)
            if link is None:
                break
            self._out.append(Dial(link))
        return sent

    def _drop(self, link: Link, why: str, now: float) -> None:
        """@param why: it is given up, if that is not as it should be."""
        self._out.append(Drop(link, reset=bool(why)))
        self._lose(link, why, now)

    def _drop_if_over(self, link: Link, now: float) -> None:
        if link.closing and not link.busy and link.phase is not Phase.GONE:
            self._drop(link, "", now)

    def _lose(self, link: Link, why: str, now: float) -> None:
        lost = link.take_all()
        self._upstreams[link.target].lose(link, now, why)
        for request in reversed(lost):  # each stands before those that came after it
            self._exchanges.repeat(request, now)
        failure = Failure(Trouble.BROKEN, "backend-lost", why)
        for request in lost:
            if request.stage is Stage.SENT:
                self._exchanges.lose(request, failure, now)
