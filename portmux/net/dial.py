"""
Connect to a backend: names, both families, unix sockets.

The addresses of a name are tried as RFC 8305 says: the next one joins the
race after a quarter of a second or when one has failed, and the first that
connects wins. A literal address needs no race and no resolver.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHostResolution,
    IResolutionReceiver,
    IWriteDescriptor,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.core.address import Address, Host
from portmux.net.connecting import begin, clause
from portmux.net.names import Name, Names

STAGGER: Final = 0.25
"""Seconds before the next address joins the race. RFC 8305 section 8."""

Connected = Callable[[socket.socket, int], None]
"""Told of a connected socket, and how many of the first bytes it has taken."""

Failed = Callable[[str], None]
"""Told why no connection came about, in one clause."""


@attrs.frozen(slots=True)
class Wanted:
    """
    What a connection is for.

    @ivar first: bytes that may be sent as soon as it is there.
    @ivar source: IP addresses to connect from, by turns; none: any.
    @ivar resolve: seconds for which a name's addresses are good; None: it is
        resolved anew.
    """

    first: bytes
    keepalive: bool = True
    nodelay: bool = True
    source: tuple[str, ...] = ()
    resolve: float | None = None


class Dialer:
    """Makes connections; knows nothing of pools or retries."""

    def __init__(self, reactor: Any, poll: Any) -> None:
        """
        @param reactor: clock and C{nameResolver}.
        @param poll: watches the sockets.
        """
        self._reactor = reactor
        self._poll = poll
        self._names = Names(reactor.seconds)

    def dial(
        self, address: Address, wanted: Wanted, connected: Connected, failed: Failed
    ) -> Attempt | None:
        """
        Start connecting; exactly one of the callbacks is called, perhaps at once.

        @return: cancel it to have neither callback called; None where one has been.
        """
        try:
            name = self._names.literal(address)
        except OSError as error:
            failed(str(error))
            return None
        if name is None:
            attempt = Attempt(self._reactor, self._poll, wanted, connected, failed)
            assert isinstance(address, Host)
            if wanted.resolve is None:
                attempt.resolve(address)
            else:
                self._resolve(attempt, address, wanted.resolve)
            return attempt
        begun = begin(name, wanted)
        if isinstance(begun, str):
            failed(begun)
        elif begun.waiting:
            attempt = Attempt(self._reactor, self._poll, wanted, connected, failed)
            attempt.enter(begun.sock)
            return attempt
        else:
            connected(begun.sock, begun.sent)
        return None

    def _resolve(self, attempt: Attempt, address: Host, good: float) -> None:
        """@param good: seconds for which an answer is."""
        known = self._names.resolved(address)
        if known:
            attempt.race(known)
        else:
            attempt.keep = lambda names: self._names.keep(address, names, good)
            attempt.resolve(address)


@implementer(IResolutionReceiver)
class Attempt:
    """One dialling: resolution and race."""

    def __init__(
        self,
        reactor: Any,
        poll: Any,
        wanted: Wanted,
        connected: Connected,
        failed: Failed,
    ) -> None:
        self.reactor = reactor
        self.poll = poll
        self._wanted = wanted
        self._connected = connected
        self._failed = failed
        self._names: list[Name] = []
        self._racing: set[_Runner] = set()
        self._timer: IDelayedCall | None = None
        self.keep: Callable[[Sequence[Name]], Sequence[Name]] | None = None
        self._host = ""
        self._why = ""
        self._over = False

    def cancel(self) -> None:
        """Stop; nobody is told anything any more."""
        self._over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        for runner in list(self._racing):
            runner.give_up()
        self._racing.clear()

    # -- resolution: IResolutionReceiver

    def resolve(self, address: Host) -> None:
        """Ask the reactor's resolver for every address of a name."""
        self._host = address.host
        self.reactor.nameResolver.resolveHostName(
            self, address.host, address.port, transportSemantics="TCP"
        )

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        """The resolver cannot be cancelled; late answers are ignored."""

    def addressResolved(self, address: IAddress) -> None:
        if isinstance(address, IPv6Address):
            flow, scope = address.flowInfo, address.scopeID
            name: Any = (address.host, address.port, flow, scope)
            self._names.append((socket.AF_INET6, name))
        elif isinstance(address, IPv4Address):
            self._names.append((socket.AF_INET, (address.host, address.port)))

    def resolutionComplete(self) -> None:
        if self._over:
            return
        names: Sequence[Name] = _interleaved(self._names) if self._names else ()
        if self.keep is not None:
            names = self.keep(names)
        if names:
            self.race(names)
        else:
            self.fail(f"{self._host} does not resolve")

    # -- the race

    def race(self, names: Sequence[Name]) -> None:
        """@param names: at least one, in the order in which they may join."""
        self._names = list(names)
        self._join()

    def _join(self) -> None:
        while self._names and not self._over:
            name = self._names.pop(0)
            if self._start(name):
                return
        if not self._racing and not self._over:
            self.fail(self._why)

    def _start(self, name: Name) -> bool:
        """@return: whether this address is in the race, or has won it."""
        begun = begin(name, self._wanted)
        if isinstance(begun, str):
            self._why = begun
            return False
        if begun.waiting:
            self.enter(begun.sock)
            if self._names:
                self._timer = self.reactor.callLater(STAGGER, self._join)
        else:
            self.won(begun.sock, begun.sent)
        return True

    def enter(self, sock: socket.socket) -> None:
        """Have a connecting socket in the race."""
        self._racing.add(_Runner(self, sock))

    def won(self, sock: socket.socket, sent: int) -> None:
        """The first connection that came about; the others are dropped."""
        self.cancel()
        self._connected(sock, sent)

    def failed(self, runner: _Runner, code: int) -> None:
        """One address is out of the race."""
        self._racing.discard(runner)
        self._why = clause(code)
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._join()

    def ran(self, runner: _Runner) -> None:
        """One address has connected."""
        self._racing.discard(runner)
        self.won(runner.sock, 0)

    def fail(self, why: str) -> None:
        """There is nothing left to try."""
        self._over = True
        self._failed(why)


@implementer(IWriteDescriptor)
class _Runner:
    """A socket that is connecting."""

    def __init__(self, attempt: Attempt, sock: socket.socket) -> None:
        self._attempt = attempt
        self.sock = sock
        attempt.poll.addWriter(self)

    def fileno(self) -> int:
        return self.sock.fileno()

    def logPrefix(self) -> str:
        return "-"

    def doWrite(self) -> None:
        self._settle()

    def connectionLost(self, reason: Failure) -> None:
        """How the reactor tells that it saw an error on the socket."""
        self._settle()

    def give_up(self) -> None:
        """Another one has won, or nobody wants the connection any more."""
        self._attempt.poll.removeWriter(self)
        self.sock.close()

    def _settle(self) -> None:
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._attempt.poll.removeWriter(self)
        if code:
            self.sock.close()
            self._attempt.failed(self, code)
        else:
            self._attempt.ran(self)


def _interleaved(names: Sequence[Name]) -> list[Name]:
    """Alternate the families, the resolver's first choice first. RFC 8305 section 4."""
    first = [name for name in names if name[0] == names[0][0]]
    other = [name for name in names if name[0] != names[0][0]]
    mixed: list[Name] = []
    while first or other:
        mixed += first[:1] + other[:1]
        first, other = first[1:], other[1:]
    return mixed
