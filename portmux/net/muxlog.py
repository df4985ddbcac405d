"""Write down what a multiplexer does: its numbers now and then, its octets if asked."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from portmux.core.mux.tally import Tally


class MuxLog:
    """
    @ivar octets: all that is sent and received is to be told.
    @ivar clients: how many there are now.
    """

    _log = Logger()

    def __init__(self, every: float | None, octets: bool) -> None:
        """@param every: seconds from one line of numbers to the next; None: never."""
        self.octets = octets
        self.clients = 0
        self._every = every
        self._loop: LoopingCall | None = None

    def start(self, clock: IReactorTime, route: str, tally: Tally) -> None:
        """@param route: what the multiplexer is known by."""
        if self._every is None:
            return
        self._loop = LoopingCall(self._tell, route, tally)
        self._loop.clock = clock
        self._loop.start(self._every, now=False).addErrback(
            lambda why: self._log.failure("no more numbers are written", failure=why)
        )

    def stop(self) -> None:
        if self._loop is not None and self._loop.running:
            self._loop.stop()

    def told(self, whom: str, what: Any, data: bytes) -> None:
        """
        @param whom: C{client} or C{target}, and whether it is to it or from it.
        @param what: its number, or its address.
        """
        octets = data.hex(" ")
        self._log.debug("{whom} {what}: {octets}", whom=whom, what=what, octets=octets)

    def _tell(self, route: str, tally: Tally) -> None:
        answers = sum(tally.answered.counts)
        seconds = tally.answered.total / answers if answers else 0.0
        self._log.info(
            "{route}: {clients} client(s), {open} connection(s) to targets of"
            " {dialled} that were tried, {answered} of {requests} request(s) answered,"
            " in {milliseconds:.1f} ms on average, {queued} wait",
            route=route,
            clients=self.clients,
            open=tally.open,
            dialled=tally.dialled,
            answered=tally.results.get("answered", 0),
            requests=sum(tally.results.values()),
            milliseconds=seconds * 1000,
            queued=tally.queued,
        )
