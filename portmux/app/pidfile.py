"""The file that holds our process id while we run."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

from portmux.errors import PortmuxError

_MODE: Final = 0o600

_LONGEST: Final = 64
"""Octets read of a file that is there; a number and a line's end are fewer."""

_HIGHEST: Final = 1 << 22
"""Linux numbers no process higher. proc(5), C{pid_max}."""


class PidFile:
    """A file that is ours from L{take} to L{drop}."""

    def __init__(self, path: str) -> None:
        self.path = path

    def take(self) -> None:
        """
        Write the file; one left by a process that is gone is replaced.

        @raise PortmuxError: its process runs, or it cannot be written.
        """
        try:
            self._create()
        except FileExistsError:
            self._replace_stale()
        except OSError as error:
            raise self._fault(error) from error

    def drop(self) -> None:
        """Remove the file, if it is still ours."""
        with suppress(OSError, PortmuxError):
            if self._owner() == os.getpid():
                os.unlink(self.path)

    def _create(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, _MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    def _replace_stale(self) -> None:
        try:
            owner = self._owner()
            if owner is not None and owner != os.getpid() and _runs(owner):
                raise PortmuxError(
                    f"the pid file {self.path} belongs to process {owner}, which runs"
                )
            os.unlink(self.path)
            self._create()
        except OSError as error:
            raise self._fault(error) from error

    def _owner(self) -> int | None:
        """@return: None for an empty file: whoever wrote it did not get further."""
        with open(self.path, "rb") as file:
            text = file.read(_LONGEST).strip()
        if not text:
            return None
        if not text.isdigit() or not 0 < int(text) <= _HIGHEST:
            raise PortmuxError(
                f"the pid file {self.path} is there and holds no process id:"
                " it may be something else; remove it, or name another file"
            )
        return int(text)

    def _fault(self, error: OSError) -> PortmuxError:
        why = os.strerror(error.errno or 0).lower()
        return PortmuxError(f"cannot write the pid file {self.path}: {why}")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
