"""Run a program and connect the client with its standard input and output."""

from __future__ import annotations

import math
import os
import resource
import shutil
from collections.abc import Mapping
from typing import Final

import attrs

from portmux.config.checks import positive
from portmux.config.faults import quoted
from portmux.core.option import Octets, Seconds, at_least, option
from portmux.core.plan import Serving
from portmux.core.registry import Registry
from portmux.errors import ConfigError
from portmux.net.preexec import Limit, credentials, group_id, user_entry
from portmux.net.process import DESCRIPTORS, Command
from portmux.net.program import Runner

OURS: Final = ("PORTMUX__", "LISTEN_", "WATCHDOG_", "NOTIFY_SOCKET")
"""Starts of variables that are meant for portmux and not for what it runs."""


def _check_command(words: tuple[str, ...]) -> None:
    if not words or not words[0]:
        raise ValueError("a program is missing, at least its name is needed")
    if len(words) == 1 and " " in words[0] and shutil.which(words[0]) is None:
        listed = ", ".join(words[0].split())
        raise ValueError(
            f"there is no program {quoted(words[0])}; a list is allowed: [{listed}]"
        )


def _check_directory(path: str | None) -> None:
    if path is not None and not os.path.isabs(path):
        raise ValueError(f"{quoted(path)} is not allowed, a path that starts with / is")


def _check_user(name: str | None) -> None:
    if name is not None:
        user_entry(name)


def _check_group(name: str | None) -> None:
    if name is not None:
        group_id(name)


def _check_environment(variables: Mapping[str, str]) -> None:
    for name in variables:
        if not name or "=" in name:
            raise ValueError(
                f"{quoted(name)} cannot be a variable; a name without = is allowed"
            )


@attrs.frozen
class ExecLimits:
    """What one program may use; each is both the soft and the hard limit."""

    cpu: Seconds | None = option(
        "processor time, in whole seconds; then it is killed (RLIMIT_CPU)",
        default=None,
        check=at_least(1),
        example="1m",
    )
    memory: Octets | None = option(
        "address space of one process (RLIMIT_AS)",
        default=None,
        check=at_least(1),
        example="256MiB",
    )
    files: int | None = option(
        "open descriptors of one process (RLIMIT_NOFILE)",
        default=None,
        check=at_least(4),  # 0, 1, 2, and what the loader opens libraries with
        example="64",
    )
    processes: int | None = option(
        "processes of its user, also those of other sessions (RLIMIT_NPROC)",
        default=None,
        check=at_least(1),
        example="20",
    )

    def numbers(self) -> tuple[Limit, ...]:
        """@return: those that are set, as the system knows them."""
        cpu = None if self.cpu is None else math.ceil(self.cpu)
        known = (
            (resource.RLIMIT_CPU, cpu),
            (resource.RLIMIT_AS, self.memory),
            (resource.RLIMIT_NOFILE, self.files),
            (resource.RLIMIT_NPROC, self.processes),
        )
        return tuple((which, most) for which, most in known if most is not None)


@attrs.frozen
class Exec:
    """
    Each client gets a process of its own, started without a shell.

    The connection ends when the program has ended and everything that holds its
    standard output open has closed it; a program that leaves a descendant
    behind with that output keeps the connection. Standard error goes to the log.
    """

    command: tuple[str, ...] = option(
        "the program and its arguments, one word each; never read by a shell",
        value=True,
        check=_check_command,
        example="[cat, /etc/motd]",
    )
    pty: bool = option(
        "give it a terminal in place of pipes for standard input and output",
        default=False,
        example="true",
    )
    directory: str | None = option(
        "where it starts; none: where portmux runs",
        default=None,
        check=_check_directory,
        example="/srv/game",
    )
    user: str | None = option(
        "whom it runs as, with that user's groups; needs root",
        default=None,
        check=_check_user,
        example="nobody",
    )
    group: str | None = option(
        "its group, in place of the user's own; needs root",
        default=None,
        check=_check_group,
        example="nogroup",
    )
    environment: Mapping[str, str] = option(
        "variables added to those of portmux and the PORTMUX_ ones",
        factory=dict,
        check=_check_environment,
        example="{LANG: C.UTF-8}",
    )
    limits: ExecLimits = option("what it may use", factory=ExecLimits)
    kill_after: Seconds = option(
        "from SIGHUP, when the client is gone or time is up, to SIGKILL",
        default=5.0,
        check=at_least(0),
        example="5s",
    )
    max_time: Seconds | None = option(
        "how long it may run; none: any time",
        default=None,
        check=positive,
        example="1h",
    )

    def plan(self) -> Serving:
        """@raise ConfigError: the user or group cannot be had here."""
        try:
            command = self._command()
        except ValueError as fault:
            raise ConfigError([f"exec {self.command[0]}: {fault}"]) from fault
        return Serving("exec", Runner(command).serve, DESCRIPTORS)

    def _command(self) -> Command:
        return Command(
            arguments=self.command,
            environment=self._environment(),
            directory=self.directory,
            terminal=self.pty,
            credentials=credentials(self.user, self.group),
            limits=self.limits.numbers(),
            kill_after=self.kill_after,
            max_time=self.max_time,
        )

    def _environment(self) -> dict[str, str]:
        found = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        if self.user is not None:
            entry = user_entry(self.user)
            found |= {"HOME": entry.pw_dir, "LOGNAME": self.user, "USER": self.user}
        return found | dict(self.environment)


def register(registry: Registry) -> None:
    registry.action("exec", Exec)
