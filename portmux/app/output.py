"""Our log on standard error, and the access log."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, Final, TextIO

from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    formatEvent,
)
from zope.interface import implementer

from portmux.core.record import Record, as_json, as_text, timestamp
from portmux.errors import PortmuxError

FLUSH: Final = 0.2
"""Seconds that a record may wait to be written with others (taste)."""

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
    Writes events to a stream, one line each.

    @ivar level: the least that is written.
    @ivar json: lines are JSON objects instead of text.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.level = LogLevel.info
        self.json = False

    def __call__(self, event: LogEvent) -> None:
        record = event.get("record")
        if isinstance(record, Record):
            self._write(as_json(record) if self.json else as_text(record))
        elif _ORDER[event["log_level"]] >= _ORDER[self.level]:
            self._write(self._as_json(event) if self.json else _as_text(event))

    def _write(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads us any more, and there is nowhere else to say so

    def _as_json(self, event: LogEvent) -> str:
        fields = {
            "time": timestamp(event["log_time"]),
            "level": event["log_level"].name,
            "part": event.get("log_namespace", "-"),
            "message": _message(event),
        }
        return json.dumps(fields, separators=(",", ":"))


def _as_text(event: LogEvent) -> str:
    level = event["log_level"].name
    text = _message(event).replace("\n", "\n    ")
    return f"{timestamp(event['log_time'])} {level}: {text}"


def _message(event: LogEvent) -> str:
    text = formatEvent(event)
    failure = event.get("log_failure")
    return f"{text}\n{failure.getTraceback()}" if failure is not None else text


class AccessLog:
    """Records in a file of their own, written in batches."""

    _log = Logger()

    def __init__(self, path: str, render: Callable[[Record], str], clock: Any) -> None:
        """
        @param clock: C{IReactorTime}.
        @raise PortmuxError: the file cannot be opened.
        """
        self.path = path
        self.render = render
        self._clock = clock
        self._lines: list[str] = []
        self._due = False
        self._failed = False
        self._file = _opened(path)

    def __call__(self, record: Record) -> None:
        self._lines.append(self.render(record))
        if not self._due:
            self._due = True
            self._clock.callLater(FLUSH, self.flush)

    def flush(self) -> None:
        """Write what waits. What cannot be written is lost, and that is said once."""
        self._due = False
        if not self._lines:
            return
        data = ("\n".join(self._lines) + "\n").encode()
        self._lines.clear()
        try:
            while data:
                data = data[os.write(self._file, data) :]
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._failed = True
                self._log.error(
                    "cannot write {path}: {why}",
                    path=self.path,
                    why=os.strerror(error.errno or 0),
                )

    def reopen(self) -> None:
        """Go on in a new file of the same name, after the old one was moved away."""
        self.flush()
        try:
            fresh = _opened(self.path)
        except PortmuxError as error:
            self._log.error("{error}; the old file stays in use", error=str(error))
            return
        os.close(self._file)
        self._file = fresh

    def close(self) -> None:
        self.flush()
        os.close(self._file)


def log_record(record: Record) -> None:
    """Where there is no access log, records go where messages go."""
    _records.info("{text}", record=record, text=as_text(record))


_records = Logger(namespace="portmux.access")


def renderer(form: str) -> Callable[[Record], str]:
    """@param form: C{text} or C{json}."""
    return as_json if form == "json" else as_text


def _opened(path: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o640)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise PortmuxError(f"cannot open the access log {path}: {why}") from error
