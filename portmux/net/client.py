"""A client's connection in the hands of an action."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.internet.defer import CancelledError

from portmux.core.plan import Serving
from portmux.core.session import Session
from portmux.net.stream import IStream

if TYPE_CHECKING:
    from portmux.net.engine import Engine
    from portmux.net.front import Front


DONE: Final = ("done", "")
"""The end of a session of which nobody said anything else."""

MISTAKE: Final = ("error", "see the log")
"""The end of a session that ran into a mistake of ours or of an extension."""


class Sink(Protocol):
    """Whoever the client's bytes belong to after the handover."""

    def received(self, data: bytes) -> None:
        """Bytes of the client, the sniffed ones first; never empty."""

    def ended(self) -> None:
        """The client will send no more; it may still read. At most once."""

    def lost(self) -> None:
        """The connection is gone. Once, whatever the reason; the last call."""


class Client:
    """
    A connection that was adopted: paused, its sniffed bytes still held.

    @ivar session: facts and counts; its decisions are not the action's.
    @ivar transport: for registering a producer, and as one for backpressure.
    @ivar reactor: its clock, descriptors and resolver.
    @ivar engine: what it shares with all other connections.
    @ivar end: how it ends, for the record.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self.end = DONE
        self._now: Callable[[], float] = front.engine.reactor.seconds
        self.session: Session = front.session
        self.transport: IStream = front.transport
        self.engine: Engine = front.engine
        self.reactor: Any = front.engine.reactor

    def attach(self, sink: Sink) -> None:
        """Give C{sink} the held bytes, then all that follow; to be called once."""
        front, session = self._front, self.session
        if front.gone or front.lingering:
            sink.lost()
            return
        front.sink = sink
        held = session.held + front.late
        session.held = front.late = b""
        if held:
            session.sent += len(held)
            sink.received(held)
        if front.finished and not front.gone:
            sink.ended()
        if not front.gone:
            front.resume()

    def write(self, data: bytes) -> None:
        """Send to the client. Backpressure: register a producer with C{transport}."""
        front, session = self._front, self.session
        if front.gone or front.lingering:
            return
        session.received += len(data)
        session.touched = self._now()
        front.transport.write(data)

    def finish(self) -> None:
        """Tell the client that no more bytes will come; it may still send."""
        if not self._front.gone:
            self._front.finish()

    def conclude(self, how: str, detail: str = "") -> None:
        """
        Say how this ends, for the record; the first word stands.

        @param how: one word; C{done} is what is recorded without this call.
        @param detail: one clause of our own, no peer's bytes.
        """
        if self.end == DONE:
            self.end = (how, detail)


async def serve(front: Front, plan: Serving) -> None:
    """Have an action do what it does with a connection, from adopting it to the end."""
    client = Client(front)
    try:
        await plan.serve(client)
    except CancelledError:
        client.conclude("stopped")
        raise
    except BaseException:
        client.conclude(*MISTAKE)
        raise
    finally:
        front.served(*client.end)
