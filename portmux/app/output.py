"""What is written of events and records: our own log, and the access log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    formatEvent,
)
from zope.interface import implementer

from portmux.app.logfile import LogFile
from portmux.app.sinks import Sink, Stream
from portmux.config.logs import Rotate
from portmux.core import asked
from portmux.core.asked import Asked
from portmux.core.record import Record, as_json, as_text, timestamp
from portmux.errors import PortmuxError

FLUSH: Final = 0.2
"""Seconds that a record may wait to be written with others (taste)."""

BATCH: Final = 256
"""Records that are written at once at most (taste: a millisecond's work)."""

_ORDER: Final = {
    LogLevel.debug: 0,
    LogLevel.info: 1,
    LogLevel.warn: 2,
    LogLevel.error: 3,
    LogLevel.critical: 4,
}


@implementer(ILogObserver)
class Output:
    """
    Writes events, one line each, and never waits for a reader.

    A terminal that is stopped, a pipe that nobody empties, a full disk: lines
    are lost, clients are served. How many were lost is told when it is over.

    @ivar json: lines are JSON objects instead of text.
    @ivar sink: where they go.
    """

    def __init__(self, descriptor: int) -> None:
        """@param descriptor: where lines go unless they are sent elsewhere."""
        self._log = Logger(observer=self)
        self._stream = Stream(descriptor)
        self._lost = 0
        self.sink: Sink = self._stream
        self.json = False
        self.limit(LogLevel.info, {})

    def limit(self, level: Any, levels: Mapping[str, Any]) -> None:
        """
        Leave out what is below a level.

        @param levels: others, by the name of a part; C{portmux.} in front of it
            may be missing. The longest name that fits is heard.
        """
        self.level = level
        self.levels = levels
        self._least: dict[str, int] = {}

    def send_to(self, sink: Sink | None) -> None:
        """@param sink: None: the stream that there was in the beginning."""
        self.sink = self._stream if sink is None else sink

    def __call__(self, event: LogEvent) -> None:
        record, level = event.get("record"), event["log_level"]
        if isinstance(record, Record | Asked):
            self._write(level, renderer("json" if self.json else "text")(record))
        elif _ORDER[level] >= self._least_of(event.get("log_namespace", "")):
            self._write(level, self._shown(event))

    def _least_of(self, part: str) -> int:
        least = self._least.get(part)
        if least is None:
            level = level_of(part, self.levels, self.level)
            least = self._least[part] = _ORDER[level]
        return least

    def _write(self, level: Any, line: str) -> None:
        if not self.sink.put(level, line):
            self._lost += 1
        elif self._lost:
            lost, self._lost = self._lost, 0
            self._log.warn("{lost} line(s) of this log were lost", lost=lost)

    def _shown(self, event: LogEvent) -> str:
        if self.json:
            return _as_json(event)
        text = _as_text(event)
        return text if self.sink.dates else f"{timestamp(event['log_time'])} {text}"


def level_of(part: str, levels: Mapping[str, Any], otherwise: Any) -> Any:
    """@return: the level of the longest name that a part has, or is within."""
    words = part.split(".")
    for count in range(len(words), 0, -1):
        name = ".".join(words[:count])
        for known in (name, name.removeprefix("portmux.")):
            if known in levels:
                return levels[known]
    return otherwise


def _as_json(event: LogEvent) -> str:
    fields = {
        "time": timestamp(event["log_time"]),
        "level": event["log_level"].name,
        "part": event.get("log_namespace", "-"),
        "message": _message(event),
    }
    return json.dumps(fields, separators=(",", ":"))


def _as_text(event: LogEvent) -> str:
    """@return: a line without its time; further ones of a traceback are indented."""
    level, text = event["log_level"].name, _message(event)
    if not text.isprintable():
        text = "".join(map(_shown, text)).replace("\n", "\n    ")
    return f"{level}: {text}"


def _shown(char: str) -> str:
    if char.isprintable() or char == "\n":
        return char
    return char.encode("unicode_escape").decode()


def _message(event: LogEvent) -> str:
    text = formatEvent(event)
    failure = event.get("log_failure")
    return f"{text}\n{failure.getTraceback()}" if failure is not None else text


class AccessLog:
    """Records in a file of their own, written in batches."""

    _log = Logger()

    def __init__(
        self,
        path: str,
        render: Callable[[Record | Asked], str],
        clock: IReactorTime,
        rotate: Rotate | None = None,
    ) -> None:
        """@raise PortmuxError: the file cannot be opened."""
        self.path = path
        self.file = LogFile(path, "access log", rotate)
        self._render = render
        self._clock = clock
        self._waiting: list[Record | Asked] = []
        self._due: IDelayedCall | None = None
        self._lost = 0

    def __call__(self, record: Record | Asked) -> None:
        self._waiting.append(record)
        if len(self._waiting) >= BATCH:
            self.flush()
        elif self._due is None:
            self._due = self._clock.callLater(FLUSH, self.flush)

    def flush(self) -> None:
        """Write what waits. What cannot be written is lost, and that is said once."""
        if self._due is not None and self._due.active():
            self._due.cancel()
        self._due = None
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        # All at once: what does the same again and again is at hand for the
        # processor, which halves the work (measured).
        lost, why = self.file.write(list(map(self._render, waiting)))
        if lost and not self._lost:
            self._log.error("cannot write {path}: {why}", path=self.path, why=why)
        self._lost += lost
        if self._lost and not lost:
            self._log.warn(
                "{path} is written again, {lost} record(s) were lost",
                path=self.path,
                lost=self._lost,
            )
            self._lost = 0

    def write_as(self, render: Callable[[Record | Asked], str]) -> None:
        """Use another form for the records to come."""
        self.flush()
        self._render = render

    def reopen(self) -> None:
        """Go on in a new file of the same name, after the old one was moved away."""
        self.flush()
        try:
            self.file.reopen()
        except PortmuxError as error:
            self._log.error("{error}; the old file stays in use", error=str(error))

    def close(self) -> None:
        self.flush()
        self.file.close()


def log_record(record: Record | Asked) -> None:
    """Where there is no access log, records go where messages go."""
    _records.info("{text()}", record=record, text=partial(_line, record))


_records = Logger(namespace="portmux.access")


def renderer(form: str) -> Callable[[Record | Asked], str]:
    """@param form: C{text} or C{json}."""
    return _json if form == "json" else _line


def _line(record: Record | Asked) -> str:
    return as_text(record) if isinstance(record, Record) else asked.as_text(record)


def _json(record: Record | Asked) -> str:
    return as_json(record) if isinstance(record, Record) else asked.as_json(record)
