"""
Which engine the tests are about that run with any.

That is the one in C{PORTMUX_TEST_ENGINE}; else the one that users get.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from portmux.net.engine import Kind, possible


def chosen(wanted: str | None, there: Sequence[Kind]) -> Kind:
    """
    @param there: the engines that there is all for, the best one last.
    @raise ValueError: there is not all for the one that is wanted: its tests would
        wait for what never comes.
    """
    known = [kind.value for kind in there]
    if not wanted:
        return there[-1]
    if wanted not in known:
        text = f"PORTMUX_TEST_ENGINE={wanted} cannot be had here"
        build = "; python setup.py build_ext --inplace makes it"
        hint = build if wanted == Kind.NATIVE.value else ""
        raise ValueError(f"{text}, {', '.join(known)} can{hint}")
    return Kind(wanted)


_WANTED: Final = os.environ.get("PORTMUX_TEST_ENGINE")

KIND: Final = chosen(_WANTED, possible())

SETTING: Final = {"PORTMUX__ENGINE": _WANTED} if _WANTED else {}
"""What a process has in its environment to run with it."""

if __name__ == "__main__":
    # For the Makefile: the other ones that there are here.
    print(*(kind.value for kind in possible() if kind is not KIND))  # noqa: T201
