"""
Which engine the tests are about that run with any.

That is the one in C{PORTMUX_TEST_ENGINE}; else the one that users get.
"""

from __future__ import annotations

import os
from typing import Final

from portmux.net.engine import Kind, best, possible

_WANTED: Final = os.environ.get("PORTMUX_TEST_ENGINE")

KIND: Final = Kind(_WANTED) if _WANTED else best()

SETTING: Final = {"PORTMUX__ENGINE": _WANTED} if _WANTED else {}
"""What a process has in its environment to run with it."""

if __name__ == "__main__":
    # For the Makefile: the other ones that there are here.
    print(*(kind.value for kind in possible() if kind is not KIND))  # noqa: T201
