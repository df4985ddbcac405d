"""What all connections of the Twisted engine share."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from portmux.core.address import Address
from portmux.core.policy import Policy
from portmux.core.record import Record
from portmux.core.session import Session
from portmux.net.deadlines import Deadlines
from portmux.net.descriptors import Budget
from portmux.net.dial import Dialer
from portmux.net.front import Front
from portmux.net.poll import poll_of
from portmux.net.stream import Stream
from portmux.net.tasks import TaskGroup


class Engine:
    """
    Carries out what sessions decide, with Twisted transports.

    @ivar poll: watches the sockets.
    @ivar live: the connections there are.
    @ivar tasks: the actions that are at work.
    @ivar budget: says when there is no descriptor left for one more.
    """

    def __init__(
        self, reactor: Any, budget: Budget, ended: Callable[[Record], None]
    ) -> None:
        """
        @param reactor: also a clock and a resolver of names.
        @param ended: is given each session's record.
        """
        self.reactor = reactor
        self.deadlines = Deadlines(reactor)
        self.poll = poll_of(reactor)
        self.dialer = Dialer(reactor, self.poll)
        self.tasks = TaskGroup()
        self.budget = budget
        self.live: set[Front] = set()
        self.idle: Callable[[], None] | None = None
        self._ended = ended

    def accept(
        self, sock: socket.socket, source: Address, local: Address, policy: Policy
    ) -> None:
        """Begin a session on a client's connected socket."""
        sock.setblocking(False)
        session = Session(policy, source, local, self.reactor.seconds())
        front = Front(self, session)
        self.live.add(front)
        self.budget.take(policy.descriptors)
        try:
            front.begin(Stream(sock, front, self.poll))
        except Exception:
            front.fail()

    def over(self, front: Front) -> None:
        """Nothing of this connection is left."""
        self.live.discard(front)
        self.deadlines.discard(front)
        self._ended(front.session.closed(self.reactor.seconds()))
        self.budget.give(front.session.policy.descriptors)
        if self.idle is not None and not self.live:
            self.idle()
