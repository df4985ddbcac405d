"""Where messages can go: a stream, a file, the system's log. None of them waits."""

from __future__ import annotations

import os
import select
import socket
import time
from typing import Any, Final, Protocol

from twisted.logger import LogLevel

from portmux.app.logfile import LogFile
from portmux.errors import PortmuxError

SYSLOG: Final = "/dev/log"
"""Where the system's log listens on a socket; its protocol is syslog(3)'s."""

_DAEMON: Final = 3 << 3
"""The facility, RFC 3164 section 4.1.1."""

_SEVERITIES: Final[dict[Any, int]] = {
    LogLevel.debug: 7,
    LogLevel.info: 6,
    LogLevel.warn: 4,
    LogLevel.error: 3,
    LogLevel.critical: 2,
}


class Sink(Protocol):
    """@ivar dates: it adds the time to lines by itself."""

    dates: bool

    def put(self, level: Any, line: str) -> bool:
        """
        @param level: of L{LogLevel}.
        @return: whether all of the line was written.
        """


class Stream:
    """A descriptor whose reader may be slow, or stopped: a terminal, a pipe."""

    dates = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        self._torn = False

    def put(self, level: Any, line: str) -> bool:
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


class MessageFile(LogFile):
    """Messages in a file of their own."""

    dates = False

    def put(self, level: Any, line: str) -> bool:
        lost, _ = self.write([line])
        return not lost


class Syslog:
    """The system's log; when it is started anew, it is found again."""

    dates = True

    def __init__(self, path: str) -> None:
        """@raise PortmuxError: nobody listens there."""
        self.path = path
        self._socket: socket.socket | None = None
        try:
            self._connected()
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            raise PortmuxError(f"cannot reach syslog at {path}: {why}") from error

    def put(self, level: Any, line: str) -> bool:
        now = time.strftime("%b %e %H:%M:%S")
        priority = _DAEMON | _SEVERITIES[level]
        text = f"<{priority}>{now} portmux[{os.getpid()}]: {line}"
        data = text.encode("utf-8", "backslashreplace")
        for _ in range(2):
            try:
                self._connected().send(data)
            except BlockingIOError:
                return False
            except OSError:
                self.close()
            else:
                return True
        return False

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        """@raise OSError: nobody listens."""
        if self._socket is None:
            kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
            fresh = socket.socket(socket.AF_UNIX, kind)
            try:
                fresh.connect(self.path)
            except OSError:
                fresh.close()
                raise
            self._socket = fresh
        return self._socket
