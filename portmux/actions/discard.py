"""Read everything and answer nothing."""

from __future__ import annotations

import attrs

from portmux.core.plan import Serving
from portmux.core.registry import Registry
from portmux.net.client import Client
from portmux.net.life import Ending


@attrs.frozen
class Discard:
    """The client's bytes are thrown away until it has finished (RFC 863)."""

    def plan(self) -> Serving:
        return Serving("discard", self.serve)

    async def serve(self, client: Client) -> None:
        sink = Drain()
        client.attach(sink)
        await sink.over.wait()


class Drain:
    """A sink without a bottom; over when the client will send no more."""

    def __init__(self) -> None:
        self.over = Ending()

    def received(self, data: bytes) -> None:
        """Nothing is kept of it."""

    def ended(self) -> None:
        self.over.come()

    def lost(self) -> None:
        self.over.come()


def register(registry: Registry) -> None:
    registry.action("discard", Discard)
