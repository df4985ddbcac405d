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

import math
from collections.abc import Callable
from itertools import count
from typing import Final

import attrs

from portmux.core.frame.framer import Dialogue, Frame, Framer, Trouble
from portmux.core.mux.asker import Asker, Request, Stage
from portmux.core.mux.effects import (
    Answer,
    Dial,
    Drop,
    Effect,
    HangUp,
    Hold,
    Send,
)
from portmux.core.mux.link import Link, Phase
from portmux.core.mux.settings import Settings
from portmux.core.mux.tally import Tally
from portmux.core.mux.upstream import Upstream
from portmux.core.pool import Pool
from portmux.errors import Malformed

AHEAD: Final = 1 << 16
"""Octets that are taken of a client whose request is not answered yet (taste)."""

_WORDS: Final = {
    Trouble.UNREACHABLE: "connect-failed",
    Trouble.SILENT: "answer-timeout",
    Trouble.BROKEN: "backend-lost",
}


@attrs.define(eq=False)
class Multiplexer:
    """
    Each event returns what is to be done; L{expire} wants to be called at L{due}.

    @ivar tally: what is counted; it may be shared, and outlive this.
    """

    _framer: Framer
    _settings: Settings
    _pool: Pool
    tally: Tally
    _random: Callable[[], float]
    _dialogue: Dialogue = attrs.field(init=False)
    _upstream: Upstream = attrs.field(init=False)
    _out: list[Effect] = attrs.field(factory=list, init=False)
    _queued: int = attrs.field(default=0, init=False)
    _askers: int = attrs.field(default=0, init=False)
    _standing: dict[Asker, None] = attrs.field(factory=dict, init=False)
    _quiet: dict[Asker, float] = attrs.field(factory=dict, init=False)
    _numbers: count[int] = attrs.field(factory=count, init=False)
    _together: bool = attrs.field(init=False)
    _keep: bool = attrs.field(default=False, init=False)
    _retired: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        settings = self._settings
        self._dialogue = self._framer.dialogue
        self._together = settings.pipeline > 1 and settings.connections == 1
        self._upstream = Upstream(
            self._pool, settings, self.tally, self._framer, self._random
        )

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

    def join(self, now: float) -> Asker:
        """A client is there."""
        asker = Asker(self._framer.requests())
        self._askers += 1
        self._rest(asker, now)
        return asker

    def receive(self, asker: Asker, data: bytes, now: float) -> list[Effect]:
        """Bytes of a client came."""
        if asker.gone:
            return []
        asker.reader.feed(data)
        self._read(asker, now)
        return self._go(now)

    def finish(self, asker: Asker, now: float) -> list[Effect]:
        """A client will send no more; it still gets its answers."""
        asker.finished = True
        if not asker.gone:
            self._read(asker, now)
        return self._go(now)

    def fill(self, asker: Asker, full: bool, now: float) -> list[Effect]:
        """@param full: a client does not take its answers; or does so again."""
        asker.full = full
        if not asker.gone:
            self._read(asker, now)
        return self._go(now)

    def leave(self, asker: Asker, now: float) -> list[Effect]:
        """A client is gone, for whatever reason; to be told once of each."""
        self._askers -= 1
        if not asker.gone:
            self._forget(asker)
        return self._go(now)

    # -- connections to the target

    def connected(self, link: Link, now: float) -> list[Effect]:
        """What was dialled is there."""
        self._upstream.connected(link, now)
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
        """Bytes of the target came."""
        if link.phase is Phase.GONE:
            return []
        before = link.unsolicited
        for request, frame in link.receive(data, now):
            self._answer(request, frame, now)
        self.tally.unsolicited += link.unsolicited - before
        if link.broken:
            self._drop(link, link.broken, now)
        elif link.closing and not link.busy:
            self._drop(link, "", now)
        return self._go(now)

    def ended(self, link: Link, now: float) -> list[Effect]:
        """The target will send no more."""
        if link.phase is not Phase.GONE:
            for request, frame in link.end(now):
                self._answer(request, frame, now)
            self._drop(link, link.broken or "closed by the target", now)
        return self._go(now)

    # -- time

    def due(self, now: float) -> float:
        """@return: when to call L{expire} if nothing happens before; may be never."""
        quiet = next(iter(self._quiet.values()), math.inf)
        return min(quiet, self._upstream.due(self._keep, now))

    def expire(self, now: float) -> list[Effect]:
        """Some time has passed."""
        upstream = self._upstream
        for link in list(upstream.links):
            self._expire_link(link, now)
        while (late := upstream.oldest_late(now)) is not None:
            away = upstream.away is not None
            how = f"{upstream.why}" if away else "no turn in time"
            self._fail(late, Trouble.UNREACHABLE, how, now)
            self._admit(now)
        while self._quiet and next(iter(self._quiet.values())) <= now:
            self._hang_up(next(iter(self._quiet)), "request-timeout")
        return self._go(now)

    def _expire_link(self, link: Link, now: float) -> None:
        settings = self._settings
        if link.phase is Phase.DIALLING:
            if now >= link.opened + settings.connect:
                self._drop(link, "connect timeout", now)
        elif link.phase is Phase.SETTLING:
            self._upstream.settle(link, now)
        elif link.busy:
            self._expire_answers(link, now)
        elif now >= link.ends():
            self._drop(link, "", now)

    def _expire_answers(self, link: Link, now: float) -> None:
        while link.busy and now >= link.oldest().departed + self._settings.answer:
            request = link.oldest()
            goes_on = link.give_up(request)
            if not goes_on:
                self._drop(link, "no answer in time", now)
            self._fail(request, Trouble.SILENT, "", now)

    # -- from requests to answers

    def _go(self, now: float) -> list[Effect]:
        """@return: all that is to be done, once there is nothing more."""
        upstream = self._upstream
        while True:
            while upstream.waiting.called:
                link = upstream.free(now)
                if link is None:
                    break
                self._send(link, now)
            if not self._standing or not self._admit(now):
                break
        while (link := upstream.dial(self._keep, now)) is not None:
            self._out.append(Dial(link))
        if self._retired and not self._askers:
            for link in list(upstream.links):
                self._drop(link, "", now)
        out, self._out = self._out, []
        return out

    def _read(self, asker: Asker, now: float) -> None:
        """Take requests of a client, as many as it may have."""
        settings, blocked = self._settings, True
        while asker.asking < settings.per_client and not (asker.gone or asker.full):
            if self._queued >= settings.queue or self._passes(asker):
                self._stand(asker, now)
                break
            try:
                frame = asker.reader.read()
            except Malformed as error:
                if not asker.asking:  # else its answers come first
                    self._hang_up(asker, "malformed", str(error))
                break
            if frame is None:
                blocked = False
                asker.standing = None
                self._await_more(asker, now)
                break
            self._put(asker, frame, now)
        if asker.gone:
            return
        held = blocked and asker.reader.held > AHEAD
        if held is not asker.held:
            asker.held = held
            self._out.append(Hold(asker, held))
        if asker.asking or asker.standing is not None or asker.full:
            self._quiet.pop(asker, None)

    def _await_more(self, asker: Asker, now: float) -> None:
        """A client has no whole request."""
        if asker.finished:
            if not asker.asking:
                cut = asker.reader.held > 0
                self._hang_up(asker, "done", "in the middle of a request" * cut)
            return
        prompt = asker.reader.prompt()
        if prompt:
            self._out.append(Answer(asker, prompt))
        self._rest(asker, now)

    def _rest(self, asker: Asker, now: float) -> None:
        """From now on a client has so much time for its next request."""
        limit = self._settings.request
        if limit is not None and not asker.asking:
            self._quiet.setdefault(asker, now + limit)

    def _passes(self, asker: Asker) -> bool:
        """@return: whether a client would overtake those that stand."""
        return bool(self._standing) and asker.standing is None

    def _stand(self, asker: Asker, now: float) -> None:
        if asker.standing is None:
            asker.standing = now
        self._standing[asker] = None

    def _admit(self, now: float) -> bool:
        """@return: whether there was room for one that stood."""
        admitted = False
        while self._standing and self._queued < self._settings.queue:
            asker = next(iter(self._standing))
            del self._standing[asker]
            self._read(asker, now)
            admitted = True
        return admitted

    def _put(self, asker: Asker, frame: Frame, now: float) -> None:
        """A request waits from now on."""
        arrived = now if asker.standing is None else asker.standing
        asker.standing = None
        request = Request(asker, frame, next(self._numbers), arrived)
        asker.requests += 1
        asker.line.append(request)
        self._upstream.waiting.add(request)
        self._count(1)
        self._call(asker)

    def _call(self, asker: Asker) -> None:
        """Let the first request of a client that waits have its turn, if it may."""
        if not asker.line or asker.line[0].called:
            return
        if asker.under_way and not self._together:
            return
        request = asker.line[0]
        turn = next(self._numbers) if self._settings.rotate else request.order
        self._upstream.waiting.call(request, -1 if request.tries else turn)

    def _send(self, link: Link, now: float) -> None:
        request = self._upstream.waiting.take()
        assert request is not None
        asker = request.asker
        asker.line.popleft()
        asker.under_way += 1
        self._count(-1)
        self.tally.waited.observe(now - request.arrived)
        self._out.append(Send(link, link.send(request, now)))
        if request.stage is Stage.OVER:
            asker.under_way -= 1
            self.tally.result("unanswered")
            self._next(asker, now)
        else:
            self._call(asker)

    def _answer(self, request: Request, frame: Frame, now: float) -> None:
        """A frame of an answer came."""
        asker = request.asker
        if not asker.gone:
            data = self._dialogue.incoming(request.frame, frame).data
            self._out.append(Answer(asker, data))
        if frame.interim:
            request.begun = True
            return
        request.stage = Stage.OVER
        asker.under_way -= 1
        self._upstream.answered()
        self.tally.result("answered")
        self.tally.answered.observe(now - request.departed)
        if frame.closes or request.frame.closes:
            self._hang_up(asker, "done")
        else:
            self._next(asker, now)

    def _next(self, asker: Asker, now: float) -> None:
        """A request of a client is over."""
        if not asker.gone:
            self._call(asker)
            self._read(asker, now)

    # -- when something is lost

    def _drop(self, link: Link, why: str, now: float) -> None:
        """@param why: it is given up, if that is not as it should be."""
        self._out.append(Drop(link, reset=bool(why)))
        self._lose(link, why, now)

    def _lose(self, link: Link, why: str, now: float) -> None:
        dialled = link.phase is Phase.DIALLING
        lost = link.take_all()
        self._upstream.lose(link, now, why)
        assert not (dialled and lost)
        again = [request for request in lost if self._may_repeat(request)]
        for request in reversed(again):
            self._repeat(request)
        for request in lost:
            if request.stage is Stage.SENT:
                self._fail(request, Trouble.BROKEN, why, now)

    def _may_repeat(self, request: Request) -> bool:
        return (
            not request.asker.gone
            and not request.begun
            and request.tries < self._settings.retries
            and self._dialogue.repeatable(request.frame)
        )

    def _repeat(self, request: Request) -> None:
        """Have a request wait once more, before all others of its client."""
        asker = request.asker
        request.tries += 1
        asker.under_way -= 1
        asker.line.appendleft(request)
        self._upstream.waiting.again(request)
        self._count(1)
        self.tally.repeated += 1
        self._call(asker)

    def _fail(self, request: Request, trouble: Trouble, why: str, now: float) -> None:
        """A request will have no answer."""
        asker = request.asker
        if request.stage is Stage.WAITING:
            asker.line.remove(request)
            self._count(-1)
        else:
            asker.under_way -= 1
        self._upstream.waiting.leave(request, Stage.OVER)
        self.tally.result(trouble.name.lower())
        if asker.gone:
            return
        asker.failed += 1
        reply = None
        if self._settings.replies and not request.begun:
            reply = self._dialogue.failure(request.frame, trouble)
        if reply is None:
            self._hang_up(asker, _WORDS[trouble], why)
            return
        self._out.append(Answer(asker, reply.data))
        if reply.closes or request.frame.closes:
            self._hang_up(asker, _WORDS[trouble], why)
        else:
            self._next(asker, now)

    def _hang_up(self, asker: Asker, how: str, detail: str = "") -> None:
        if not asker.gone:
            self._out.append(HangUp(asker, how, detail))
            self._forget(asker)

    def _forget(self, asker: Asker) -> None:
        """Nobody waits for a client's answers any more."""
        asker.gone = True
        self._quiet.pop(asker, None)
        self._standing.pop(asker, None)
        for request in asker.line:
            self._upstream.waiting.leave(request, Stage.OVER)
            self._count(-1)
            self.tally.result("left")
        asker.line.clear()

    def _count(self, change: int) -> None:
        self._queued += change
        self.tally.queued += change
