"""Send everything back."""

from __future__ import annotations

import attrs

from portmux.core.plan import Serving
from portmux.core.registry import Registry
from portmux.net.client import Client
from portmux.net.life import Ending


@attrs.frozen
class Echo:
    """The client gets its own bytes back until it has finished (RFC 862)."""

    def plan(self) -> Serving:
        return Serving("echo", self.serve)

    async def serve(self, client: Client) -> None:
        sink = _Mirror(client)
        # What comes faster than it is taken back is not read from the client.
        client.transport.registerProducer(client.transport, True)
        client.attach(sink)
        await sink.over.wait()


class _Mirror:
    """Gives the bytes back; over when the client will send no more."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.over = Ending()

    def received(self, data: bytes) -> None:
        self._client.write(data)

    def ended(self) -> None:
        self.over.come()

    def lost(self) -> None:
        self.over.come()


def register(registry: Registry) -> None:
    registry.action("echo", Echo)
