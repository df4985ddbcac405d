"""A file that lines are appended to, opened again, and turned over by its size."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate

from twisted.logger import Logger

from portmux.config.logs import Rotate
from portmux.errors import PortmuxError


class LogFile:
    """
    Turned over, C{FILE} becomes C{FILE.1}, that C{FILE.2}, and so on.

    Whatever fails then, lines go on in the file that is open.

    @ivar rotate: when; None: others do it, and ask for L{reopen}.
    """

    _log = Logger()

    def __init__(self, path: str, what: str, rotate: Rotate | None = None) -> None:
        """
        @param what: the file is called so when it cannot be opened.
        @raise PortmuxError: it cannot.
        """
        self.path = path
        self.rotate = rotate
        self._what = what
        self._torn = False
        self._stuck = False
        self._use(self._opened(path))

    def write(self, lines: Sequence[str]) -> tuple[int, str]:
        """@return: how many lines were lost, and why."""
        encoded = [f"{line}\n".encode("utf-8", "backslashreplace") for line in lines]
        done = 0
        while done < len(encoded):
            fitting = self._fitting(encoded[done:])
            lost, why = self._append(b"".join(encoded[done : done + fitting]))
            done += fitting
            if lost:
                return lost + len(encoded) - done, why
        return 0, ""

    def _fitting(self, lines: Sequence[bytes]) -> int:
        """@return: how many of them, at least one, go into one file: now in use."""
        if self.rotate is None or not self._regular:
            return len(lines)
        if self._size and self._size + len(lines[0]) > self.rotate.size:
            self._make_room(self.rotate.keep)
        ends = accumulate(map(len, lines), initial=self._size)
        return max(1, sum(end <= self.rotate.size for end in ends) - 1)

    def _append(self, data: bytes) -> tuple[int, str]:
        try:
            if self._torn:  # what comes now is a line of its own
                os.write(self._file, b"\n")
                self._torn = False
            while data:
                size = os.write(self._file, data)
                self._size += size
                self._torn = data[size - 1 : size] != b"\n"
                data = data[size:]
        except OSError as error:
            return data.count(b"\n"), _why(error)
        return 0, ""

    def reopen(self) -> None:
        """
        Go on in a new file of the same name, after the old one was moved away.

        @raise PortmuxError: it cannot be opened; the old one stays in use.
        """
        fresh = self._opened(self.path)
        os.close(self._file)
        self._use(fresh)

    def close(self) -> None:
        os.close(self._file)

    def _use(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self._file = descriptor
        self._regular = stat.S_ISREG(status.st_mode)
        self._size = status.st_size

    def _make_room(self, keep: int) -> None:
        """What fails is told once."""
        try:
            self._turn_over(keep)
        except (OSError, PortmuxError) as error:
            # Known before it is told: the telling may come through here.
            told, self._stuck = self._stuck, True
            if not told:
                why = _why(error) if isinstance(error, OSError) else str(error)
                self._log.error(
                    "cannot rotate {path}: {why}; it grows on", path=self.path, why=why
                )
        else:
            self._stuck = False

    def _turn_over(self, keep: int) -> None:
        """@raise OSError, PortmuxError: the open file stays in use."""
        if not self._is_in_place():  # somebody else has moved it
            self.reopen()
            return
        name = f"{self.path}.new"
        fresh = self._opened(name)
        try:
            for number in range(keep - 1, 0, -1):
                with suppress(FileNotFoundError):
                    os.replace(f"{self.path}.{number}", f"{self.path}.{number + 1}")
            os.replace(self.path, f"{self.path}.1")
            os.replace(name, self.path)
        except OSError:
            os.close(fresh)
            with suppress(OSError):
                os.unlink(name)
            raise
        os.close(self._file)
        self._use(fresh)

    def _is_in_place(self) -> bool:
        """@return: whether the path still leads to the open file."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _opened(self, path: str) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        flags |= os.O_NONBLOCK  # it may be a pipe that nobody empties
        try:
            return os.open(path, flags, 0o640)
        except OSError as error:
            raise PortmuxError(
                f"cannot open the {self._what} {path}: {_why(error)}"
            ) from error


def _why(error: OSError) -> str:
    return os.strerror(error.errno or 0).lower()
