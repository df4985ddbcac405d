"""What carries out what sessions decide, and what all connections share."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from socket import socket
from time import monotonic
from typing import Any, Final

from portmux.core.address import Address
from portmux.core.asked import Asked
from portmux.core.effects import Effect
from portmux.core.policy import Policy
from portmux.core.record import Record
from portmux.core.session import Session
from portmux.net.accept import Accepted, Acceptor
from portmux.net.contexts import Contexts
from portmux.net.deadlines import Deadlines
from portmux.net.descriptors import Budget
from portmux.net.dial import Dialer
from portmux.net.front import Front
from portmux.net.lane import lane, native
from portmux.net.live import Live
from portmux.net.poll import poll_of
from portmux.net.secure import Reacher
from portmux.net.stream import Stream
from portmux.net.tasks import TaskGroup

WORTH: Final = 4
"""Times as long as a thread was waited for it is not waited for again (taste)."""


class Kind(Enum):
    """The engines; the value is the word in configurations."""

    TWISTED = "twisted"
    LANE = "lane"
    NATIVE = "native"


def possible() -> list[Kind]:
    """@return: the engines that there is all for, the best one last."""
    if lane.missing():
        return [Kind.TWISTED]
    if native.MISSING:
        return [Kind.TWISTED, Kind.LANE]
    return [Kind.TWISTED, Kind.LANE, Kind.NATIVE]


def best() -> Kind:
    """@return: the engine that is taken where nobody wants a certain one."""
    return possible()[-1]


class Engine:
    """
    Carries out what sessions decide.

    With Twisted transports; or, what is plain forwarding, by the lane, which has a
    relay in Python and, where the extension is, one in C.

    @ivar poll: watches the sockets.
    @ivar reacher: connects to backends, as their pools say.
    @ivar live: the connections there are.
    @ivar tasks: the actions that are at work.
    @ivar budget: says when there is no descriptor left for one more.
    """

    def __init__(
        self,
        reactor: Any,
        budget: Budget,
        ended: Callable[[Record], None],
        kind: Kind = Kind.TWISTED,
        contexts: Contexts | None = None,
        asked: Callable[[Asked], None] = lambda asked: None,
    ) -> None:
        """
        @param reactor: also a clock and a resolver of names.
        @param ended: is given each session's record.
        @param contexts: for TLS to backends.
        @param asked: is given the record of each request, where that is wanted.
        """
        self.reactor = reactor
        self.asked = asked
        self.deadlines = Deadlines(reactor)
        self.poll = poll_of(reactor)
        self.dialer = Dialer(reactor, self.poll)
        self.reacher = Reacher(self.dialer, self.poll, contexts or Contexts())
        self.tasks = TaskGroup()
        self.budget = budget
        self.live: set[Live] = set()
        self.idle: Callable[[], None] | None = None
        self._ended = ended
        self._lane: lane.Lane | None = None
        self._recount_at = 0.0
        self.use(kind)

    def use(self, kind: Kind) -> None:
        """Have clients of this engine's from now on; live ones stay where they are."""
        self.kind = kind
        if kind is Kind.TWISTED:
            return
        if self._lane is None:
            self._lane = lane.Lane(self)
        self._lane.use(in_c=kind is Kind.NATIVE)

    def acceptor(self, sock: socket, policy: Callable[[], Policy]) -> Acceptor:
        """
        @param sock: listens.
        @param policy: asked for each client.
        @return: not started yet.
        """
        poll, accept = self.poll, self.accept
        if self._lane is not None and self.kind is not Kind.TWISTED:
            poll, accept = self._lane.poller, self._lane.accept
        return Acceptor(
            sock,
            poll,
            self.budget,
            lambda: policy().descriptors,
            lambda client, source, local: accept(client, source, local, policy()),
        )

    def acceptor_of_others(self, sock: socket, accepted: Accepted) -> Acceptor:
        """
        @param sock: listens for clients that are no sessions: of portmux itself.
        @return: not started yet.
        """
        return Acceptor(sock, self.poll, self.budget, lambda: 1, accepted)

    def accept(
        self, sock: socket, source: Address, local: Address, policy: Policy
    ) -> None:
        """Begin a session on a client's connected socket."""
        if self._lane is not None and self.kind is not Kind.TWISTED:
            self._lane.accept(sock, source, local, policy)
            return
        sock.setblocking(False)
        session = Session(policy, source, local, self.reactor.seconds())
        front = Front(self, session)
        self.begun(front)
        try:
            front.begin(Stream(sock, front, self.poll))
        except Exception:
            front.fail()

    # -- for what is live

    def begun(self, live: Live) -> None:
        """There is one more."""
        self.live.add(live)
        self.budget.take(live.session.policy.descriptors)

    def replace(self, live: Live, by: Live) -> None:
        """It is in other hands from now on."""
        self.live.discard(live)
        self.live.add(by)

    def adopt(self, live: Live, effect: Effect, sock: socket) -> None:
        """Take over a client from the lane; its bytes are held."""
        sock.setblocking(False)
        front = Front(self, live.session)
        self.replace(live, front)
        try:
            front.adopt(Stream(sock, front, self.poll), effect)
        except Exception:
            front.fail()

    def catch_up(self) -> None:
        """Have all that is over be counted, also what a thread has ended just now."""
        if self._lane is not None:
            self._lane.catch_up()

    def recount(self) -> bool:
        """
        Do the same for a client that a limit is in the way of.

        A crowd of those does not have the thread waited for again and again.

        @return: whether anything can have been counted.
        """
        if self._lane is None:
            return False
        begun = monotonic()
        wait = begun >= self._recount_at
        self._lane.catch_up(wait)
        if wait:
            ended = monotonic()
            self._recount_at = ended + WORTH * (ended - begun)
        return True

    def over(self, live: Live) -> None:
        """Nothing of this connection is left."""
        self.live.discard(live)
        self.deadlines.discard(live)
        session = live.session
        self._ended(session.closed(self.reactor.seconds()))
        self.budget.give(session.policy.descriptors)
        if self.idle is not None and not self.live:
            self.idle()

    def stop(self) -> None:
        """The last call: nothing is live, and nobody accepts."""
        self.deadlines.stop()
        if self._lane is not None:
            self._lane.stop()
