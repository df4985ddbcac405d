"""Carry out any command: the border around all that handlers do."""

from __future__ import annotations

from typing import Any, Final

from twisted.logger import Logger

from portmux.control import changing, handlers, plexy, requests
from portmux.control.admin import Admin
from portmux.control.handling import HANDLERS
from portmux.control.reply import Reply
from portmux.errors import CommandError

INTERNAL: Final = -32603
"""JSON-RPC's code for a mistake of ours."""

FILLED: Final = (changing, handlers, plexy, requests)
"""What has the handlers."""

_log = Logger()


def run(admin: Admin, command: Any) -> Reply:
    """
    Carry out a command.

    @raise CommandError: it was not, and why; mistakes of ours are logged.
    """
    admin.catch_up()
    try:
        return HANDLERS[type(command)](admin, command)
    except CommandError:
        raise
    except Exception:
        _log.failure("{command} failed", command=type(command).__name__)
        raise CommandError(INTERNAL, "Internal error; the log says more") from None
