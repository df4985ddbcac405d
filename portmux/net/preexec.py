"""
What a child process does between fork and exec.

Other threads of the parent do not exist in the child, but locks that they held
do: so it is system calls only, with everything looked up beforehand.
"""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import resource
import signal
import termios
from typing import Final

import attrs


@attrs.frozen
class Credentials:
    """
    Whom a program runs as.

    @ivar user: None: as now.
    @ivar groups: the supplementary ones; with another user or group, none of
        the parent's is kept.
    """

    user: int | None
    group: int
    groups: tuple[int, ...]


def credentials(user: str | None, group: str | None) -> Credentials | None:
    """
    @param user: a name of the system's; its own groups go with it.
    @param group: a name, in place of the user's own group.
    @return: None when nothing has to change.
    @raise ValueError: there is no such user or group, or we may not change to it.
    """
    gid = group_id(group) if group is not None else None
    if user is not None:
        entry = user_entry(user)
        uid, chosen = entry.pw_uid, entry.pw_gid if gid is None else gid
        wanted = Credentials(uid, chosen, tuple(os.getgrouplist(user, chosen)))
    elif gid is not None:
        wanted = Credentials(None, gid, ())
    else:
        return None
    if os.geteuid() != 0 and _is_ours(wanted):
        return None
    if not permitted(wanted):
        raise ValueError(ROOT_ONLY)
    return wanted


def _is_ours(wanted: Credentials) -> bool:
    return wanted.user in (None, os.geteuid()) and wanted.group == os.getegid()


ROOT_ONLY: Final = "only root may start a program as another user or group"


def permitted(wanted: Credentials | None) -> bool:
    """@return: whether we may, now, start a program with these."""
    return wanted is None or os.geteuid() == 0


def user_entry(name: str) -> pwd.struct_passwd:
    """@raise ValueError: there is no such user."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise ValueError(f'there is no user "{name}" on this system') from None


def group_id(name: str) -> int:
    """@raise ValueError: there is no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ValueError(f'there is no group "{name}" on this system') from None


Limit = tuple[int, int]
"""A C{RLIMIT_} number, and the value for both its soft and its hard limit."""

FILES: Final = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
"""
Descriptors that a program may open unless told otherwise: as portmux itself
when it started. It raises its own, but C{select} fails above 1024.
"""


def excessive(limits: tuple[Limit, ...]) -> Limit | None:
    """@return: a limit above what only root may go beyond; None for root."""
    if os.geteuid() == 0:
        return None
    for which, most in limits:
        hard = resource.getrlimit(which)[1]
        if hard != resource.RLIM_INFINITY and most > hard:
            return which, hard
    return None


# Python sets these two itself, and Popen sets them back.
_RESTORED: Final = {signal.SIGPIPE, signal.SIGXFSZ}
_FIXED: Final = {signal.SIGKILL, signal.SIGSTOP}


def ignored_signals() -> tuple[signal.Signals, ...]:
    """@return: what a program would find ignored; handlers of ours end with exec."""
    return tuple(
        signal.Signals(number)
        for number in signal.valid_signals() - _RESTORED - _FIXED
        if signal.getsignal(number) is signal.SIG_IGN
    )


@attrs.frozen
class Preparation:
    """
    To be called in the child; standard streams and session are those of the program.

    What fails is written to standard error, as Popen tells only that something did.

    @ivar terminal: standard input is a terminal, to be the session's own.
    @ivar files: the soft limit of descriptors; None: as it is.
    @ivar limits: set while still root, as they may be above the parent's; the
        size of memory last, for the parent's image may be larger than it allows.
    @ivar defaults: signals that are ignored and must not be.
    @ivar unblock: some signals are blocked and must not be.
    """

    terminal: bool = False
    files: int | None = None
    limits: tuple[Limit, ...] = ()
    credentials: Credentials | None = None
    defaults: tuple[signal.Signals, ...] = ()
    unblock: bool = False

    def __call__(self) -> None:
        try:
            self._prepare()
        except (OSError, ValueError, OverflowError) as fault:
            os.write(2, str(fault).encode())
            raise

    def _prepare(self) -> None:
        for number in self.defaults:
            signal.signal(number, signal.SIG_DFL)
        if self.unblock:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if self.terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if self.credentials is not None:
            os.setgroups(self.credentials.groups)
            os.setgid(self.credentials.group)
        if self.files is not None:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, hard))
        for which, most in self.limits:
            resource.setrlimit(which, (most, most))
        if self.credentials is not None and self.credentials.user is not None:
            os.setuid(self.credentials.user)


def preparation(
    terminal: bool,
    limits: tuple[Limit, ...],
    credentials: Credentials | None,
) -> Preparation | None:
    """@return: None when there is nothing to do, and the child need not be a fork."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    made = Preparation(
        terminal,
        FILES if soft != FILES <= hard else None,
        tuple(sorted(limits, key=lambda one: one[0] == resource.RLIMIT_AS)),
        credentials,
        ignored_signals(),
        bool(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    )
    return None if made == Preparation() else made
