"""The one place where a coroutine is set running."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure


class TaskGroup:
    """Coroutines that are logged when they fail, and cancelled together."""

    _log = Logger()

    def __init__(self) -> None:
        self._running: set[Deferred[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, what: str, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        """@param what: names the task in the log if it fails."""
        task = Deferred.fromCoroutine(coroutine)
        self._running.add(task)

        def done(result: Failure | None) -> None:
            self._running.discard(task)
            if isinstance(result, Failure) and not result.check(CancelledError):
                self._log.failure("{what} failed", failure=result, what=what)

        task.addBoth(done)

    def cancel(self) -> Deferred[Any]:
        """@return: fires when the last task has ended."""
        running = list(self._running)
        for task in running:
            task.cancel()
        return DeferredList(running)
