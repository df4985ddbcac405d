"""
A client's connection, from accept to end: tells its session what happens and
carries out what that decides.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.core.effects import (
    RESET,
    WAIT,
    Adopt,
    Close,
    Dial,
    Effect,
    Finish,
    Phase,
    Queued,
    Relay,
    Side,
    Wait,
)
from portmux.core.plan import Serving
from portmux.core.session import LINGER, Session
from portmux.net.client import MISTAKE, Sink, serve
from portmux.net.closing import finish_writing, is_reset, sends_on, under_way, unsent
from portmux.net.dial import Wanted
from portmux.net.relay import Back, Pipe, couple
from portmux.net.secure import Attempt, attach
from portmux.net.stream import Stream, is_a

if TYPE_CHECKING:
    from portmux.net.engine import Engine


@implementer(IHalfCloseableProtocol)
class Front(Protocol):
    """
    Sniffing; then paused, the bytes held; then a sink's.

    @ivar transport: the client's stream.
    @ivar sink: whose the client's bytes are.
    @ivar late: those that came behind the held ones while it was paused.
    @ivar finished: the client will send no more.
    @ivar lingering: the client was told the end.
    @ivar gone: its connection is over.
    """

    transport: Stream
    _log = Logger()
    sink: Sink | None = None
    _back: Back | None = None
    _attempt: Attempt | None = None
    _wanted: Dial | None = None
    _dialling = False
    finished = False
    lingering = False
    _left = 0
    gone = False
    _serving = False
    _reading = False
    late = b""
    _called_by: float | None = None

    def __init__(self, engine: Engine, session: Session) -> None:
        self.engine = engine
        self.session = session
        self._now: Callable[[], float] = engine.reactor.seconds

    def begin(self, stream: Stream) -> None:
        """A new client: mostly its first bytes are there already."""
        self.makeConnection(stream)
        self._carry(self.session.open())
        if self.session.phase is Phase.SNIFF and not self.gone:
            data = stream.take()
            if data:
                self._carry(self.session.receive(data, self._now()))
            elif data is not None:
                self.readConnectionLost()
            if self.session.phase is Phase.SNIFF and not self.gone:
                self.resume()
        self._watch()

    def adopt(self, stream: Stream, effect: Effect) -> None:
        """A client that another engine has sniffed; it may have finished."""
        self.makeConnection(stream)
        self.finished = self.session.half_closed is Side.CLIENT
        self._on(effect)

    # -- what the client's transport tells

    def dataReceived(self, data: bytes) -> None:
        session, sink = self.session, self.sink
        if sink is not None:
            session.sent += len(data)
            session.touched = self._now()
            sink.received(data)
        elif session.phase is Phase.SNIFF:
            self._on(session.receive(data, self._now()))
        elif session.phase is not Phase.CLOSE:
            self.late += data  # what TLS had in hand when it was paused

    def readConnectionLost(self) -> None:
        if self.finished:
            return  # Twisted tells it again after each resumeProducing
        self.finished = True
        if self.lingering:
            self.transport.end()
            return
        effect = self._client_finished()
        if self._serving and self.sink is not None:
            self.sink.ended()
        self._on(effect)

    def writeConnectionLost(self) -> None:
        """Our own half-close; the other direction goes on."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True
        self.session.received -= unsent(self.transport)
        if not is_a(reason, ConnectionClosed):
            self.session.end(*MISTAKE)  # raised by one of us; Twisted has logged it
            self._on(RESET)
        if self.session.phase is not Phase.CLOSE:
            self._on(self.session.lost(Side.CLIENT, self._now()))
        if self.sink is not None:
            self.sink.lost()
        self.over()

    # -- what the other parts of the connection tell

    def expire(self) -> None:
        """The session's deadline may have passed."""
        self._called_by = None
        if self.session.phase is Phase.CLOSE and self._drains():
            self.session.closing(self._now())
        try:
            self._on(self.session.expire(self._now()))
        except Exception:
            self.fail()

    def _client_finished(self) -> Effect:
        """What came along with its end had no time to be refused before."""
        session, back = self.session, self._back
        second = session.half_closed is Side.BACKEND
        if second and back and not back.gone and is_reset(back.transport):
            return session.refused()
        return session.finished(Side.CLIENT, self._now())

    def back_finished(self) -> None:
        self._on(self.session.finished(Side.BACKEND, self._now()))

    def back_ended(self) -> None:
        """On TLS an orderly end is that of both directions."""
        if self.session.phase is not Phase.CLOSE:
            self._on(self.session.end("done"))
        self.over()

    def back_lost(self, why: str) -> None:
        if self.session.phase is not Phase.CLOSE:
            self._on(self.session.lost(Side.BACKEND, self._now(), why))
        self.over()

    def served(self, how: str, detail: str) -> None:
        """The action is done with the connection."""
        self._serving = False
        self._on(self.session.served(how, detail))
        self.over()

    def fail(self) -> None:
        """
        Do as the reactor does when what it calls raises: log, drop the connection.

        An extension's mistake costs one connection, not the listener's or the timer.
        """
        self._log.failure("session {number} failed", number=self.session.number)
        self.transport.connectionLost(Failure())

    def stop(self, how: str, reset: bool = True) -> None:
        """End the session now, for a reason of the operator's."""
        self.session.end(how)
        if reset:
            self._close(reset=True)
            return
        self._give_up_attempt()
        self.session.closing(self._now())
        back = self._back
        if back is not None and not back.gone:
            back.transport.end(reset=unsent(back.transport) > 0)
        if not self.gone:
            self.transport.end(reset=unsent(self.transport) > 0)
        self._watch()

    def over(self) -> None:
        """See whether anything of the connection is left."""
        back_open = self._back is not None and not self._back.gone
        left = self._serving or back_open or not self.gone
        if not left and self.session.phase is not Phase.OVER:  # told once
            self.engine.over(self)
            self._back = self.sink = None  # no work for the garbage collector

    # -- for whoever has the connection

    def resume(self) -> None:
        """Read on; what comes is the sink's."""
        self._reading = True
        self.transport.resumeProducing()

    def finish(self) -> None:
        """The client is sent no more; this direction is over."""
        self._on(self.session.finished(Side.BACKEND, self._now()))
        finish_writing(self.transport)

    # -- effects

    def _on(self, effect: Effect) -> None:
        if effect is not WAIT:
            self._carry(effect)
        self._watch()

    def _watch(self) -> None:
        """An earlier call is as good: it finds that there is more time."""
        deadline = self.session.deadline
        if deadline is None or self.session.phase is Phase.OVER:
            return
        if self._called_by is None or deadline < self._called_by:
            self._called_by = deadline
            self.engine.deadlines.put(self, deadline)

    def _carry(self, effect: Effect) -> None:
        if isinstance(effect, (Wait, Relay)):
            return  # L{Relay} is carried out where the backend's socket is known
        if isinstance(effect, Dial):
            self._dial(effect)
        elif isinstance(effect, Queued):
            self._pause()
            effect.ticket.call = self._called
        elif isinstance(effect, Finish):
            self._finish(effect.side)
        elif isinstance(effect, Close):
            self._close(effect.reset)
        elif isinstance(effect, Adopt):
            self._adopt(effect.plan)
        else:
            assert_never(effect)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self.transport.pauseProducing()

    def _dial(self, effect: Dial) -> None:
        self._wanted = effect
        if self._dialling:
            return  # the last one failed at once; the loop below goes on
        self._dialling = True
        self._pause()
        self._give_up_attempt()
        session, policy = self.session, self.session.policy
        while self._wanted is not None:
            effect, self._wanted = self._wanted, None
            attempt = self.engine.reacher.reach(
                effect,
                Wanted(session.held, policy.keepalive, policy.nodelay, effect.source),
                self._dialled,
                self._secured,
                self._undialled,
            )
            if attempt is not None and session.phase is Phase.DIAL:
                self._attempt = attempt
        self._dialling = False

    def _called(self) -> None:
        """By whoever has just left the pool: it shall not have to wait for us."""
        self.engine.reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        try:
            self._on(self.session.turn(self._now()))
        except Exception:
            self.fail()

    def _give_up_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()

    def _undialled(self, why: str) -> None:
        self._on(self.session.connect_failed(why, self._now()))

    def _dialled(self, sock: socket.socket, sent: int) -> None:
        back = Back(self)
        stream = Stream(sock, back, self.engine.poll)
        back.makeConnection(stream)
        self._relay(back, stream, sent)

    def _secured(self, stream: Stream) -> None:
        back = Back(self)
        attach(stream, back)
        self._relay(back, stream, 0)

    def _relay(self, back: Back, stream: Stream, sent: int) -> None:
        self._attempt = None
        session = self.session
        self._back = back
        self._carry(session.connected(self._now()))
        self.sink = Pipe(stream)
        held, session.held, self.late = session.held + self.late, b"", b""
        couple(self.transport, stream)
        session.sent += len(held)
        if len(held) > sent:
            stream.write(held[sent:])
        if session.half_closed is Side.CLIENT:
            finish_writing(stream)
        if not back.gone:
            stream.startReading()
        self.resume()
        self._watch()

    def _finish(self, side: Side) -> None:
        if side is Side.CLIENT:
            if not self.gone:
                finish_writing(self.transport)
        elif self._back is not None and not self._back.gone:
            finish_writing(self._back.transport)

    def _adopt(self, plan: Serving) -> None:
        self._pause()
        self._serving = True
        self.engine.tasks.spawn(f"action {plan.name}", serve(self, plan))

    def _close(self, reset: bool) -> None:
        self._give_up_attempt()
        if not reset:
            self.session.closing(self._now())
        back = self._back
        if back is not None and not back.gone:
            back.transport.end(reset)
        if not self.gone and not reset and not self.finished and self._under_way():
            self._linger()
        elif not self.gone:
            self.transport.end(reset)
        if not reset and not self.gone:
            self._drains()

    def _drains(self) -> bool:
        """Whether a slow reader has taken something since this was last asked."""
        before = self._left
        self._left = 0 if self.gone else under_way(self.transport)
        if self._back is not None and not self._back.gone:
            self._left += under_way(self._back.transport)
        return self._left < before

    def _under_way(self) -> bool:
        """Whether a reset could take from the client what it was sent, or its end."""
        if self._back is None and self.session.forwarded:
            return sends_on(self.transport)
        return self.session.received > 0 and self._now() - self.session.touched < LINGER

    def _linger(self) -> None:
        """
        Tell the client the end, and drop what it sends until it has ended too.

        To close while there is input that nobody has read resets the connection,
        and a reset takes output with it that is still under way. The session's
        deadline ends the wait. RFC 1122 section 4.2.2.13.
        """
        if not self.lingering:
            self.lingering = True
            sink, self.sink = self.sink, None
            finish_writing(self.transport)
            self.resume()
            if sink is not None:
                sink.lost()
