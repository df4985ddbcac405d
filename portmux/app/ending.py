"""The end of the program: first it drains, then it stops."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from portmux.net.engine import Engine


class Ending:
    """
    @ivar draining: nobody is accepted any more.
    @ivar stopping: the reactor was told to stop, or stops.
    """

    _log = Logger()

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """@param engine: asked when first needed, after the process has forked."""
        self.draining = False
        self.stopping = False
        self._engine = engine
        self._cut: IDelayedCall | None = None
        self._hurry = False

    @property
    def near(self) -> bool:
        """Whether nothing begins any more."""
        return self.draining or self.stopping

    def drain(self, patience: float | None, refuse: Callable[[], None]) -> None:
        """
        Accept no more, let live sessions end.

        Asked again, stop at once; and once more, end programs that will not.

        @param patience: seconds that sessions get; None: as long as they last.
        @param refuse: has nobody be accepted any more.
        """
        if self.stopping:
            self._engine().tasks.cancel()
        elif self.draining:
            self._hurry = True
            self._stop()
        else:
            self.draining = True
            refuse()
            self._wait_for_sessions(patience)

    def _wait_for_sessions(self, patience: float | None) -> None:
        engine = self._engine()
        live = len(engine.live)
        if not live:
            self._stop()
            return
        self._log.info("draining {live} session(s); again to stop now", live=live)
        engine.idle = self._stop
        if patience is not None:
            self._cut = engine.reactor.callLater(patience, self._stop)

    def _stop(self) -> None:
        if self.stopping:
            return
        self.stopping = True
        engine = self._engine()
        engine.idle = None
        if self._cut is not None and self._cut.active():
            self._cut.cancel()
        engine.reactor.stop()

    def cut(self) -> Deferred[None]:
        """
        End what is still live.

        @return: fires when the last record has been written.
        """
        self.stopping = True
        gone: Deferred[None] = Deferred()
        engine = self._engine()
        live = list(engine.live)
        if not live:
            gone.callback(None)
            return gone
        self._log.info("stopping: {live} session(s) are cut", live=len(live))
        engine.idle = lambda: gone.callback(None)
        for one in live:
            one.stop("drained" if self.draining else "stopped")
        engine.tasks.cancel()
        if self._hurry:
            engine.tasks.cancel()
        return gone
