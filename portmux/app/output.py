"""Our log on standard error, and the access log."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
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
    Writes events to a descriptor, one line each, and never waits for its reader.

    A terminal that is stopped, a pipe that nobody empties, a full disk: lines
    are lost, clients are served. How many were lost is told when it is over.

    @ivar level: the least that is written.
    @ivar json: lines are JSON objects instead of text.
    """

    def __init__(self, descriptor: int) -> None:
        self._log = Logger(observer=self)
        self._descriptor = descriptor
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        self._lost = 0
        self._torn = False
        self.level = LogLevel.info
        self.json = False

    def __call__(self, event: LogEvent) -> None:
        record = event.get("record")
        if isinstance(record, Record):
            self._write(as_json(record) if self.json else as_text(record))
        elif _ORDER[event["log_level"]] >= _ORDER[self.level]:
            self._write(self._as_json(event) if self.json else _as_text(event))

    def _write(self, line: str) -> None:
        if not self._put(line):
            self._lost += 1
        elif self._lost:
            lost, self._lost = self._lost, 0
            self._log.warn("{lost} line(s) of this log were lost", lost=lost)

    def _put(self, line: str) -> bool:
        """@return: whether all of it was written."""
        data = f"{line}\n".encode("utf-8", "backslashreplace")
        if self._torn:
            data = b"\n" + data
        while data:
            if not self._has_room():
                return False
            try:
                size = os.write(self._descriptor, data[: select.PIPE_BUF])
            except OSError:
                return False  # and there is nowhere else to say so
            self._torn = data[size - 1 : size] != b"\n"
            data = data[size:]
        return True

    def _has_room(self) -> bool:
        """Whether C{PIPE_BUF} octets can be written without waiting. pipe(7)."""
        ready = self._room.poll(0)
        return bool(ready and ready[0][1] & select.POLLOUT)

    def _as_json(self, event: LogEvent) -> str:
        fields = {
            "time": timestamp(event["log_time"]),
            "level": event["log_level"].name,
            "part": event.get("log_namespace", "-"),
            "message": _message(event),
        }
        return json.dumps(fields, separators=(",", ":"))


def _as_text(event: LogEvent) -> str:
    """@return: one line; further lines of a traceback are indented."""
    level, text = event["log_level"].name, _message(event)
    if not text.isprintable():
        text = "".join(map(_shown, text)).replace("\n", "\n    ")
    return f"{timestamp(event['log_time'])} {level}: {text}"


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
        self, path: str, render: Callable[[Record], str], clock: IReactorTime
    ) -> None:
        """@raise PortmuxError: the file cannot be opened."""
        self.path = path
        self.render = render
        self._clock = clock
        self._lines: list[str] = []
        self._due: IDelayedCall | None = None
        self._lost = 0
        self._torn = False
        self._file = _opened(path)

    def __call__(self, record: Record) -> None:
        self._lines.append(self.render(record))
        if self._due is None:
            self._due = self._clock.callLater(FLUSH, self.flush)

    def flush(self) -> None:
        """Write what waits. What cannot be written is lost, and that is said once."""
        if self._due is not None and self._due.active():
            self._due.cancel()
        self._due = None
        lines, self._lines = self._lines, []
        if not lines:
            return
        lost, why = self._write(lines)
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

    def _write(self, lines: Sequence[str]) -> tuple[int, str]:
        """@return: how many lines were lost, and why."""
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        try:
            if self._torn:  # what comes now is a line of its own
                os.write(self._file, b"\n")
                self._torn = False
            while data:
                size = os.write(self._file, data)
                self._torn = data[size - 1 : size] != b"\n"
                data = data[size:]
        except OSError as error:
            return data.count(b"\n"), os.strerror(error.errno or 0).lower()
        return 0, ""

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
    _records.info("{text()}", record=record, text=partial(as_text, record))


_records = Logger(namespace="portmux.access")


def renderer(form: str) -> Callable[[Record], str]:
    """@param form: C{text} or C{json}."""
    return as_json if form == "json" else as_text


def _opened(path: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    flags |= os.O_NONBLOCK  # it may be a pipe that nobody empties
    try:
        return os.open(path, flags, 0o640)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise PortmuxError(f"cannot open the access log {path}: {why}") from error
