"""Start a program with pipes or a terminal of its own, and nothing else of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from subprocess import Popen, SubprocessError
from typing import Final

import attrs

from portmux.net.child import Child, Output
from portmux.net.pidwatch import IReactor
from portmux.net.pipes import CHUNK, PipeWriter, end_of_file
from portmux.net.preexec import (
    ROOT_ONLY,
    Credentials,
    Limit,
    excessive,
    permitted,
    preparation,
)

DESCRIPTORS: Final = 4
"""What a program costs us while it runs: three streams, and one that tells its end."""


@attrs.frozen(kw_only=True)
class Command:
    """
    What to run, and how.

    @ivar arguments: the program, looked for in C{environment}'s C{PATH}
        unless it has a slash, and its arguments.
    @ivar directory: where it starts; None: where we are.
    @ivar terminal: standard input and output are a terminal, not pipes.
    @ivar credentials: None: as we are.
    @ivar limits: resource limits; not above ours except for root.
    @ivar kill_after: seconds from SIGHUP to SIGKILL.
    @ivar max_time: seconds that it may run before SIGHUP; None: any time.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str | None = None
    terminal: bool = False
    credentials: Credentials | None = None
    limits: tuple[Limit, ...] = ()
    kill_after: float = 5.0
    max_time: float | None = None


@attrs.frozen
class Unstarted:
    """A program that could not be started. @ivar reason: one clause, for the log."""

    reason: str


@attrs.frozen
class _Ends:
    """
    Both ends of what connects us with a program, as descriptors.

    @ivar theirs: standard input, output and error.
    @ivar to: ours, as the next two; not blocking.
    """

    theirs: tuple[int, int, int]
    to: int
    output: int
    errors: int


def start(
    command: Command, reactor: IReactor, output: Output, errors: Output
) -> Child | Unstarted:
    """
    Returns when the program runs in the child, or is known not to.

    The child leads a new session, hence a process group, from before it is the
    program: a signal to the group cannot come too early.
    """
    if not permitted(command.credentials):
        return Unstarted(ROOT_ONLY)
    excess = excessive(command.limits)
    if excess is not None:
        return Unstarted(f"a limit is above the {excess[1]} that only root may exceed")
    try:
        with ExitStack() as theirs, ExitStack() as ours:
            ends = _connect(command, theirs, ours)
            process = _spawn(command, ends)
            ours.pop_all()
    except (OSError, ValueError) as fault:
        return Unstarted(_reason(fault))
    return Child(
        process,
        PipeWriter(reactor, ends.to, end_of_file if command.terminal else None),
        ends.output,
        ends.errors,
        output,
        errors,
        reactor,
        command.kill_after,
        command.max_time,
    )


def _connect(command: Command, theirs: ExitStack, ours: ExitStack) -> _Ends:
    """
    @param theirs: closes the child's ends.
    @param ours: closes the other ones.
    """
    errors, theirs_errors = _pipe(ours, theirs)
    if command.terminal:
        output, slave = os.openpty()
        ours.callback(os.close, output)
        theirs.callback(os.close, slave)
        to = os.dup(output)
        ours.callback(os.close, to)
        if command.credentials is not None and command.credentials.user is not None:
            os.fchown(slave, command.credentials.user, -1)
        standard = (slave, slave, theirs_errors)
    else:
        theirs_input, to = _pipe(theirs, ours)
        output, theirs_output = _pipe(ours, theirs)
        standard = (theirs_input, theirs_output, theirs_errors)
    for end in (to, output, errors):
        os.set_blocking(end, False)
    return _Ends(standard, to, output, errors)


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """@return: descriptors to read and to write, to be closed by these two."""
    ends = os.pipe()
    reader.callback(os.close, ends[0])
    writer.callback(os.close, ends[1])
    return ends


def _spawn(command: Command, ends: _Ends) -> Popen[bytes]:
    """
    @raise OSError: it cannot be run, or the directory not be entered.
    @raise ValueError: an octet 0 in an argument or a variable.
    """
    prepare = preparation(command.terminal, command.limits, command.credentials)
    try:
        return Popen(
            command.arguments,
            stdin=ends.theirs[0],
            stdout=ends.theirs[1],
            stderr=ends.theirs[2],
            env=command.environment,
            cwd=command.directory,
            start_new_session=True,
            preexec_fn=prepare,
        )
    except SubprocessError as fault:
        try:
            why = os.read(ends.errors, CHUNK).decode("utf-8", "replace")
        except BlockingIOError:  # the child had not even the memory to say it
            why = str(fault)
        raise OSError(why) from fault


def _reason(fault: OSError | ValueError) -> str:
    """@return: the system's words, with the file that they are about."""
    if isinstance(fault, OSError) and fault.strerror is not None:
        about = f": {fault.filename}" if fault.filename is not None else ""
        return fault.strerror + about
    return str(fault)
