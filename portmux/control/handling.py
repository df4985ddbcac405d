"""Which function carries out which command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from portmux.control.admin import Admin
from portmux.control.reply import Reply

C = TypeVar("C")

UNKNOWN: Final = 1101
"""Our code for a name that nothing has."""

IMPOSSIBLE: Final = 1102
"""Our code for what cannot be done."""

Handler = Callable[[Admin, C], Reply]

HANDLERS: Final[dict[type[Any], Callable[[Admin, Any], Reply]]] = {}
"""By kind of command; modules that have handlers fill it when they are imported."""


def handles(kind: type[C]) -> Callable[[Handler[C]], Handler[C]]:
    """@return: has a function carry out commands of that kind."""

    def known(handler: Handler[C]) -> Handler[C]:
        HANDLERS[kind] = handler
        return handler

    return known
