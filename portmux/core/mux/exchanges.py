"""From requests to answers: each of them ends in one answer, or in one failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from portmux.core.frame.framer import Dialogue, Frame, Trouble
from portmux.core.mux.asker import Asker, Request, Stage
from portmux.core.mux.devices import Devices
from portmux.core.mux.effects import Answer, Effect, Over
from portmux.core.mux.expert import Expert
from portmux.core.mux.lines import Lines
from portmux.core.mux.link import Link
from portmux.core.mux.settings import Settings
from portmux.core.mux.sharing import Sharing
from portmux.core.mux.tally import Tally


@attrs.frozen(slots=True)
class Failure:
    """
    Why a request has no answer.

    @ivar trouble: for the protocol.
    @ivar how: for the record of a client that is hung up on.
    @ivar detail: one clause; may be empty.
    """

    trouble: Trouble
    how: str
    detail: str = ""


DONE: Final = Failure(Trouble.SILENT, "done")

SILENT: Final = Failure(Trouble.SILENT, "answer-timeout")

DEAD: Final = Failure(Trouble.SILENT, "answer-timeout", "the unit does not answer")

NO_TURN: Final = Failure(Trouble.UNREACHABLE, "queue-timeout")

# On Python 3.11 a member read off its class costs as much as a call (measured).
_OVER: Final = Stage.OVER


@attrs.define(eq=False, slots=True)
class Exchanges:
    """
    What becomes of requests, between the clients' lines and the links.

    @ivar next: told of a client that may have its next request taken.
    @ivar hang_up: has a client's connection closed.
    """

    _settings: Settings
    _dialogue: Dialogue
    _expert: Expert | None
    _lines: Lines
    _out: list[Effect]
    _tally: Tally
    next: Callable[[Asker, float], None]
    hang_up: Callable[[Asker, str, str, float], None]
    _sharing: Sharing = attrs.field(factory=Sharing, init=False)
    _devices: Devices = attrs.field(init=False)
    _guarded: bool = attrs.field(init=False)
    """Some devices may not be asked."""

    def __attrs_post_init__(self) -> None:
        rule = self._settings.breaker
        self._devices = Devices(self._expert, rule, self._tally)
        self._guarded = rule is not None

    # -- requests

    def take(self, asker: Asker, frame: Frame, arrived: float, now: float) -> None:
        """
        A client has made a request.

        @param arrived: when it might have made it.
        """
        asker.requests += 1
        request = Request(asker, frame, self._lines.number(), arrived)
        if self._expert is None or not self._is_settled(request, self._expert, now):
            self._lines.put(request)

    def _is_settled(self, request: Request, expert: Expert, now: float) -> bool:
        """@return: whether it need not go to a target by itself."""
        frame, asker = request.frame, request.asker
        reply = expert.reply(frame, asker.source, now, asker.changes)
        request.unit = expert.unit(frame)
        if reply is not None:
            self._out.append(Answer(asker, reply.data))
            self._close_book(request, "replied", len(reply.data), now)
            return True
        request.target = expert.target(frame)
        request.reads = self._dialogue.repeatable(frame)
        request.key = expert.sharing(frame)
        if self._guarded and self._devices.is_dead(request, now):
            request.stage = Stage.SENT
            asker.under_way.add(request)
            self.fail(request, DEAD, now)
            return True
        if request.key is not None and self._sharing.join(request):
            asker.under_way.add(request)
            return True
        return False

    def send(self, target: int, link: Link, now: float) -> bytes:
        """@return: what goes to the target next; nothing if that may not be asked."""
        request = self._lines.take(target)
        self._tally.waited.observe(now - request.arrived)
        if self._guarded and not self._devices.admits(request, now):
            self.fail(request, DEAD, now)
            return b""
        if self._expert is not None:
            self._expert.sent(request.frame, now)
            if not request.reads:
                self._sharing.changed()  # what was asked before says nothing of it
                for one in request.asker.under_way:
                    one.passed = True
        request.backend = link.backend.address
        data = link.send(request, now)
        if request.stage is _OVER:
            request.asker.under_way.remove(request)
            self._close_book(request, "unanswered", 0, now)
            self._go_on(request, False, now)
        elif request.asker.line:
            self._lines.call(request.asker)
        return data

    # -- answers

    def answer(self, request: Request, frame: Frame, now: float) -> None:
        """A frame of an answer came."""
        if frame.interim:
            request.begun = True
            self._deliver(request, frame)
            return
        self._tally.answered.observe(now - request.departed)
        answer = self._dialogue.incoming(request.frame, frame)
        if self._expert is not None:
            self._devices.answered(request, answer, now)
            if not request.reads:
                self._sharing.changed()
        sharers = self._end(request)
        if not request.asker.gone:
            self._out.append(Answer(request.asker, answer.data))
        self._close_book(request, "answered", len(frame.data), now)
        for one in sharers:
            self._deliver(one, frame)
            self._close_book(one, "shared", len(frame.data), now)
        self._go_on(request, frame.closes, now)
        for one in sharers:
            self._go_on(one, frame.closes, now)

    def _deliver(self, request: Request, frame: Frame) -> None:
        if not request.asker.gone:
            data = self._dialogue.incoming(request.frame, frame).data
            self._out.append(Answer(request.asker, data))

    # -- failures

    def silent(self, request: Request, now: float) -> None:
        """The answer to a request has not come in time."""
        self._devices.silent(request, now)
        self.lose(request, SILENT, now)

    def lose(self, request: Request, why: Failure, now: float) -> None:
        """A request was sent, and will have no answer."""
        self._devices.lost(request, now)
        self.fail(request, why, now)

    def repeat(self, request: Request, now: float) -> bool:
        """@return: whether a request may be sent once more that was lost; it waits."""
        if (
            request.begun
            or request.passed  # it must not see what was changed later
            or request.tries >= self._settings.retries
            or not self._dialogue.repeatable(request.frame)
            or all(one.asker.gone for one in (request, *request.sharers))
        ):
            return False
        self._devices.lost(request, now)
        request.tries += 1
        self._tally.repeated += 1
        self._lines.again(request)
        return True

    def fail(self, request: Request, why: Failure, now: float) -> None:
        """A request will have no answer, nor will those who share it."""
        if request.stage is Stage.WAITING:
            self._lines.leave(request)
            request.asker.under_way.add(request)
        failed = (request, *self._end(request))
        for one in failed:
            self._close_book(one, why.trouble.name.lower(), 0, now)
        for one in failed:
            if one.asker.gone:
                self._lines.call(one.asker)  # it may still stand for others
            else:
                self._tell_failure(one, why, now)

    def _tell_failure(self, request: Request, why: Failure, now: float) -> None:
        asker, reply = request.asker, None
        asker.failed += 1
        if self._settings.replies and not request.begun:
            reply = self._dialogue.failure(request.frame, why.trouble)
        if reply is not None:
            self._out.append(Answer(asker, reply.data))
        if reply is None:
            self.hang_up(asker, why.how, why.detail, now)
        else:
            self._go_on(request, reply.closes, now, why)

    def withdraw(self, asker: Asker, now: float) -> None:
        """Nobody waits for a client's answers any more, but who shares them."""
        for request in list(asker.line):
            self._lines.leave(request)
            self._close_book(request, "left", 0, now)
            heir = self._sharing.heir(request)
            if heir is not None:
                self._lines.again(heir)

    # -- what both have in common

    def _end(self, request: Request) -> list[Request]:
        """@return: those who share what became of it."""
        if request.key is not None:
            self._sharing.over(request)
        sharers, request.sharers = request.sharers, []
        for one in (request, *sharers):
            one.stage = _OVER
            one.asker.under_way.remove(one)
        return sharers

    def _go_on(
        self, request: Request, closes: bool, now: float, why: Failure = DONE
    ) -> None:
        """@param closes: a request is over, and nothing follows its answer."""
        asker = request.asker
        if closes or request.frame.closes:
            self.hang_up(asker, why.how, why.detail, now)
        if asker.line:
            self._lines.call(asker)  # one who is gone may stand for others
        if not asker.gone:
            self.next(asker, now)

    def _close_book(self, request: Request, word: str, size: int, now: float) -> None:
        """@param size: octets of the answer, as the target sent it."""
        self._tally.result(word, request.unit)
        if self._settings.told:
            self._out.append(Over(request, word, size, now))
