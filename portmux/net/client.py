"""A client's connection in the hands of an action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from portmux.core.session import Session
from portmux.net.stream import IStream

if TYPE_CHECKING:
    from portmux.net.engine import Engine
    from portmux.net.front import Front


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
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self.session: Session = front.session
        self.transport: IStream = front.transport
        self.engine: Engine = front.engine
        self.reactor: Any = front.engine.reactor

    def attach(self, sink: Sink) -> None:
        """Give C{sink} the held bytes, then all that follow; to be called once."""
        self._front.hand_over(sink)

    def write(self, data: bytes) -> None:
        """Send to the client. Backpressure: register a producer with C{transport}."""
        self._front.to_client(data)

    def finish(self) -> None:
        """Tell the client that no more bytes will come; it may still send."""
        self._front.finish_client()

    def conclude(self, how: str, detail: str = "") -> None:
        """
        Say how this ends, for the record; the first word stands.

        @param how: one word; C{done} is what is recorded without this call.
        @param detail: one clause of our own, no peer's bytes.
        """
        self._front.conclude(how, detail)
