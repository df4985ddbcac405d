"""
Pipes for splicing: a few, shared, each held only while there are bytes in it.

The kernel lends pipes of 1 MiB sparingly: an unprivileged user gets 64, and
then pipes that are too small to be worth it. F_SETPIPE_SZ in fcntl(2);
C{/proc/sys/fs/pipe-user-pages-soft} in proc(5).
"""

from __future__ import annotations

import fcntl
import os
from typing import Final

from portmux.net.descriptors import Budget

SIZE: Final = 1 << 20
"""Octets; below 256 KiB splicing costs as much as copying (measured)."""

LEAST: Final = 1 << 18
"""Octets; a smaller pipe is not worth it."""

KEPT: Final = 16
"""Idle pipes that are kept (taste); a pipe has memory of its own only while full."""

SPARE: Final = 64
"""Descriptors that sessions may still want when a pipe is made (taste): without
pipes they are slower, without descriptors there are none."""

RETRY: Final = 10.0
"""Seconds until the kernel is asked again when it has refused (taste)."""


class Pipe:
    """
    @ivar size: octets that it takes.
    @ivar held: octets in it.
    """

    __slots__ = ("held", "reader", "size", "writer")

    def __init__(self) -> None:
        """@raise OSError: there is none to be had, or none that is large enough."""
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.held = 0
        try:
            self.size = _enlarge(self.writer)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


class Pipes:
    """Those that there are; their descriptors are reserved like a session's."""

    def __init__(self, budget: Budget, kept: int = KEPT) -> None:
        """@param kept: idle ones at most."""
        self._budget = budget
        self._kept = kept
        self._free: list[Pipe] = []
        self._refused = -RETRY

    def take(self, now: float) -> Pipe | None:
        """@return: an empty pipe; None: copy instead."""
        if self._free:
            return self._free.pop()
        if now - self._refused < RETRY or not self._budget.allows(SPARE):
            return None
        try:
            pipe = Pipe()
        except OSError:
            self._refused = now
            return None
        self._budget.take(2)
        return pipe

    def give(self, pipe: Pipe) -> None:
        """Back, when it is empty or nobody wants what is in it."""
        if pipe.held or len(self._free) >= self._kept:
            self._close(pipe)
        else:
            self._free.append(pipe)

    def stop(self) -> None:
        while self._free:
            self._close(self._free.pop())

    def _close(self, pipe: Pipe) -> None:
        pipe.close()
        self._budget.give(2)


def _enlarge(descriptor: int) -> int:
    """@raise OSError: no size that is worth it is allowed."""
    for size in (SIZE, SIZE // 2):
        try:
            return fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, size)
        except PermissionError:
            continue
    return fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, LEAST)
