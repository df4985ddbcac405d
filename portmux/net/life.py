"""Wait for the end of an adopted connection."""

from __future__ import annotations

from twisted.internet.defer import Deferred


class Ending:
    """
    Something that happens once and that one coroutine awaits.

    A L{portmux.net.client.Sink} calls L{come} when its work is over, which may
    be before anybody waits.
    """

    def __init__(self) -> None:
        self._waiting: Deferred[None] = Deferred()

    def come(self) -> None:
        """Now, or again: only the first call counts."""
        if not self._waiting.called:
            self._waiting.callback(None)

    async def wait(self) -> None:
        """Return once it has happened."""
        await self._waiting
