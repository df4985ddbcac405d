"""The file that keeps what was changed while the program ran."""

from __future__ import annotations

import os
from typing import Final

from twisted.logger import Logger

from portmux.config.changes import Changes
from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.sources.syntax import Syntax, parse
from portmux.core.registry import Registry
from portmux.errors import ConfigError, PortmuxError

HEAD: Final = "# What was changed while portmux ran; it writes this file itself.\n"

_FRESH: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC

_log = Logger()


def read(path: str | None, directory: str, registry: Registry) -> Changes:
    """
    @param directory: that the path counts from.
    @return: what the file says; nothing if there is none.
    @raise PortmuxError: it cannot be read, or has faults.
    """
    if path is None:
        return Changes()
    path = os.path.join(directory, path)
    try:
        with open(path, "rb") as opened:
            data = opened.read()
    except FileNotFoundError:
        return Changes()
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise PortmuxError(f"state {path} cannot be read: {why}") from error
    faults = Faults()
    tree = parse(path, data, Syntax.YAML, faults)
    try:
        changes = (
            None if tree is None else Decoder(registry, faults).decode(Changes, tree)
        )
        faults.check()
    except ConfigError as error:
        raise PortmuxError("; ".join(error.faults)) from error
    assert isinstance(changes, Changes)
    return changes


def write(path: str | None, directory: str, changes: Changes) -> None:
    """Replace the file as a whole; that it cannot be written is told in the log."""
    if path is None:
        return
    path = os.path.join(directory, path)
    fresh = f"{path}.new"
    try:
        number = os.open(fresh, _FRESH, 0o600)
        with open(number, "w", encoding="utf-8") as opened:
            opened.write(HEAD + changes.written())
            opened.flush()
            os.fsync(number)
        os.replace(fresh, path)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        _log.error("state {path} cannot be written: {why}", path=path, why=why)
