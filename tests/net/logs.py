"""What a class of ours has logged."""

from __future__ import annotations

from typing import Any

from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    formatEvent,
    globalLogPublisher,
)
from twisted.python.reflect import qual
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer


@implementer(ILogObserver)
class Logged:
    """
    Listens to one class for as long as a test runs.

    @ivar lines: level and text of each event; of those for debugging only if asked.
    """

    def __init__(
        self, case: SynchronousTestCase, kind: type[Any], debug: bool = False
    ) -> None:
        self.lines: list[tuple[str, str]] = []
        self._debug = debug
        self._namespace = qual(kind)
        globalLogPublisher.addObserver(self)
        case.addCleanup(globalLogPublisher.removeObserver, self)

    def __call__(self, event: LogEvent) -> None:
        level = event.get("log_level")
        if level is None or (level is LogLevel.debug and not self._debug):
            return
        if event.get("log_namespace") == self._namespace:
            self.lines.append((level.name, formatEvent(event)))
