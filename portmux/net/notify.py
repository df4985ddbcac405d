"""Tell the service manager how the program is. @see: sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final

from twisted.logger import Logger

PATIENCE: Final = 1.0
"""Seconds that a manager may take to make room for a message (taste)."""

_log = Logger()


class Notifier:
    """Sends messages; one that cannot be sent is lost, and that is told once."""

    def __init__(self, address: str) -> None:
        """@param address: a path; of an abstract socket, C{@} and its name."""
        self._address = "\0" + address[1:] if address[0] == "@" else address
        self._shown = address
        self._lost = False

    def __call__(self, **variables: str) -> None:
        """Send one message: the variables of sd_notify(3), such as C{READY="1"}."""
        lines = [f"{name}={value}" for name, value in variables.items()]
        try:
            # Opened anew each time: a socket held open would not survive a fork.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(PATIENCE)
                sock.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._lost:
                _log.warn(
                    "cannot reach the service manager on {address}: {why}",
                    address=self._shown,
                    why=os.strerror(error.errno).lower() if error.errno else str(error),
                )
            self._lost = True
        else:
            self._lost = False


def notifier(environ: Mapping[str, str]) -> Notifier | None:
    """@return: None where no service manager listens, or where it cannot be reached."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return None
    if address[0] not in "/@" or len(address) == 1:
        _log.warn(
            "NOTIFY_SOCKET is {address!r}, a path or @NAME is understood;"
            " the service manager is told nothing",
            address=address,
        )
        return None
    return Notifier(address)


def watchdog(environ: Mapping[str, str]) -> float | None:
    """
    @return: seconds after which the service manager takes this process for
        dead when it hears nothing; None: it does not watch us.
    @see: sd_watchdog_enabled(3).
    """
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not (microseconds.isascii() and microseconds.isdigit()):
        return None
    return int(microseconds) / 1e6 or None
