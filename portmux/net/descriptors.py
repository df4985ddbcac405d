"""
How many connections the descriptor limit allows.

Accepting stops before the limit does, because a client without a descriptor
left for its backend could only be turned away, and goes on when a session ends.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from typing import Final

SPARE: Final = 16
"""Left for resolver, logs, children's pipes and reloads (taste)."""


def raise_limit() -> tuple[int, int]:
    """
    Raise the soft limit of open files to the hard one.

    @return: the limits before, for programs that we start: some still use
        C{select}, which breaks above 1024.
    """
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    return before


def open_now() -> int:
    """@return: descriptors open in this process; an estimate where none can be had."""
    try:
        return len(os.listdir("/dev/fd"))
    except OSError:
        return 32


class Budget:
    """@ivar most: descriptors that sessions may have open at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0
        self._waiting: list[Callable[[], None]] = []

    @classmethod
    def of_process(cls) -> Budget:
        """What the limit in force leaves for sessions."""
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return cls(soft - open_now() - SPARE)

    @property
    def taken(self) -> int:
        """@return: what live sessions have reserved."""
        return self._taken

    def allows(self, count: int) -> bool:
        """@return: whether a session that needs so many can begin; one always can."""
        return self._taken + count <= self.most or not self._taken

    def take(self, count: int) -> None:
        self._taken += count

    def give(self, count: int) -> None:
        """A session has ended; whoever waited for that is called, once."""
        self._taken -= count
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for resume in waiting:
                resume()

    def wait(self, resume: Callable[[], None]) -> None:
        """@param resume: called when a session has ended."""
        self._waiting.append(resume)
