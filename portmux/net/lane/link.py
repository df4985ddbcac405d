"""A client of the lane, from accept until it is relayed, adopted or closed."""

from __future__ import annotations

from contextlib import suppress
from socket import MSG_DONTWAIT, SHUT_WR, SO_LINGER, SOL_SOCKET, socket
from typing import TYPE_CHECKING

from twisted.logger import Logger

from portmux.core.effects import (
    CLOSE,
    RESET,
    WAIT,
    Adopt,
    Close,
    Dial,
    Effect,
    Phase,
    Queued,
    Side,
)
from portmux.core.reach import PLAIN
from portmux.core.session import Session
from portmux.net.closing import unread
from portmux.net.dial import Attempt, Wanted
from portmux.net.lane.flow import COPIED
from portmux.net.lane.pair import NO_LINGER

if TYPE_CHECKING:
    from portmux.net.lane.lane import Lane

_SNIFF = Phase.SNIFF
_DIAL = Phase.DIAL


class Link:
    """Sniffing; then dialling, while nothing is read."""

    _log = Logger()

    __slots__ = (
        "_attempt",
        "_backend",
        "_called_by",
        "_dialling",
        "_effect",
        "_lane",
        "_over",
        "_sent",
        "_sock",
        "_wanted",
        "session",
        "watched",
    )

    def __init__(self, lane: Lane, session: Session, sock: socket) -> None:
        self.session = session
        self._lane = lane
        self._sock = sock
        self._attempt: Attempt | None = None
        self._wanted: Dial | None = None
        self._called_by: float | None = None
        self._dialling = self.watched = self._over = False
        self._effect: Effect = WAIT
        self._backend: socket | None = None
        self._sent = 0

    # -- stages of a new client; mostly its first bytes are there already

    def open(self) -> None:
        self._effect = self.session.open()

    def read(self) -> None:
        if self.session.phase is _SNIFF:
            self._effect = self._read()

    def carry(self) -> None:
        self._carry(self._effect)
        self._wait()

    def relay(self) -> None:
        """Once the backend is there."""
        backend = self._backend
        if self._over or backend is None:
            return
        session = self.session
        session.connected(self._lane.seconds())
        held, session.held = session.held, b""
        session.sent += len(held)
        self._leave()
        self._lane.relay_from(self, self._sock, backend, held[self._sent :])

    # -- what the poller tells of the client

    def ready(self, events: int) -> None:
        if self.session.phase is _SNIFF and not self._over:
            self._carry(self._read())
            self._wait()

    def _read(self) -> Effect:
        """Read until there is nothing more, or a decision."""
        session = self.session
        while True:
            try:
                data = self._sock.recv(COPIED, MSG_DONTWAIT)
            except BlockingIOError:
                return WAIT
            except OSError:
                return session.lost(Side.CLIENT, self._lane.seconds())
            if not data:
                return session.finished(Side.CLIENT, self._lane.seconds())
            effect = session.receive(data, self._lane.seconds())
            if effect is not WAIT or not self.watched:
                return effect  # what else is there, the poller tells

    def _wait(self) -> None:
        """For the client's next bytes, while sniffing; for a deadline."""
        if self._over:
            return
        if self.session.phase is _SNIFF and not self.watched:
            self.watched = True
            self._lane.poller.watch(self._sock.fileno(), self)
        self._watch()

    # -- what others tell

    def expire(self) -> None:
        self._called_by = None
        try:
            self._carry(self.session.expire(self._lane.seconds()))
            self._watch()
        except Exception:
            self.fail()

    def stop(self, how: str, reset: bool = True) -> None:
        self.session.end(how)
        self._close(reset)

    def fail(self) -> None:
        """A mistake of ours, or of an extension, costs one connection."""
        self._log.failure("session {number} failed", number=self.session.number)
        self.session.end("error", "see the log")
        self._carry(RESET)

    # -- effects

    def _carry(self, effect: Effect) -> None:
        if effect is WAIT:
            return
        if isinstance(effect, Dial):
            self._dial(effect)
        elif isinstance(effect, Close):
            self._close(effect.reset)
        elif isinstance(effect, Queued):
            effect.ticket.call = self._called
        elif isinstance(effect, Adopt):
            self._hand_over(effect)

    def _watch(self) -> None:
        """An earlier call is as good: it finds that there is more time."""
        deadline = self.session.deadline
        if deadline is None or self._over:
            return
        if self._called_by is None or deadline < self._called_by:
            self._called_by = deadline
            self._lane.deadlines.put(self, deadline)

    def _dial(self, effect: Dial) -> None:
        self._wanted = effect
        if self._dialling:
            return  # the last one failed at once; the loop below goes on
        self._dialling = True
        self._give_up_attempt()
        session = self.session
        while self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            if wanted.reach is not PLAIN and wanted.reach != PLAIN:
                self._hand_over(wanted)
                break
            policy = session.policy
            attempt = self._lane.dialer.dial(
                wanted.address,
                Wanted(session.held, policy.keepalive, policy.nodelay, wanted.source),
                self._dialled,
                self._undialled,
            )
            if attempt is not None and session.phase is _DIAL:
                self._attempt = attempt
        self._dialling = False

    def _called(self) -> None:
        """By whoever has just left the pool: it shall not have to wait for us."""
        self._lane.poller.callLater(0, self._turn)

    def _turn(self) -> None:
        try:
            self._carry(self.session.turn(self._lane.seconds()))
            self._watch()
        except Exception:
            self.fail()

    def _give_up_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()

    def _undialled(self, why: str) -> None:
        self._carry(self.session.connect_failed(why, self._lane.seconds()))
        self._watch()

    def _dialled(self, sock: socket, sent: int) -> None:
        self._attempt = None
        self._backend, self._sent = sock, sent
        self._lane.dialled(self)

    def _hand_over(self, effect: Effect) -> None:
        """The lane cannot do this."""
        self._leave()
        self._lane.adopt(self, effect, self._sock)

    def _leave(self) -> None:
        """Somebody else has the client from now on."""
        self._over = True
        if self._called_by is not None:
            self._lane.deadlines.discard(self)

    def _close(self, reset: bool) -> None:
        if self._over:
            return
        self._give_up_attempt()
        if self._backend is not None:
            self._backend.close()
        if not reset and self.session.forwarded and self._sends_on():
            self._hand_over(CLOSE)
            return
        self._over = True
        sock = self._sock
        if self.watched:
            self._lane.poller.closed(sock.fileno())
        if reset:
            with suppress(OSError):
                sock.setsockopt(SOL_SOCKET, SO_LINGER, NO_LINGER)
        sock.close()
        self._lane.over(self)

    def _sends_on(self) -> bool:
        """As L{portmux.net.closing.sends_on}; who has finished does not."""
        if self.session.half_closed is not None:
            return False
        with suppress(OSError):  # the client has reset
            self._sock.shutdown(SHUT_WR)
        return unread(self._sock.fileno()) > 0
