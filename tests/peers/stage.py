"""Real programs on both sides of portmux: what tests start, call and talk with."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import select
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

import attrs

from tests.integration.processes import (
    PATIENCE,
    Foreground,
    ProcessCase,
    environment,
    has_ended,
    until,
)

SYSTEM = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Where servers are found, also by a user whose own path is shorter."""

BULK = os.urandom(1 << 20) * 8
"""Octets, 8 MiB: more than all buffers on their way can hold."""

BULK_SUM = hashlib.sha256(BULK).hexdigest().encode()


def program(name: str) -> str:
    """@return: where a command is. @raise AssertionError: it is not installed."""
    found = shutil.which(name, path=SYSTEM)
    assert found is not None, f"{name} is missing; .ci/peers-packages names its package"
    return found


def listens(port: int) -> bool:
    """@return: whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_taken(port: int) -> bool:
    """@return: whether somebody listens there, found out without connecting."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            assert error.errno == errno.EADDRINUSE, error
            return True
    return False


def fields(record: str) -> dict[str, str]:
    """@return: what a record says, by name, without quotes."""
    found = re.findall(r'([a-z]+)=("[^"]*"|\S*)', record)
    return {name: value.strip('"') for name, value in found}


@attrs.frozen
class Ran:
    """What a command that has ended has said."""

    status: int
    out: bytes
    err: str

    def checked(self) -> bytes:
        """@return: its output. @raise AssertionError: it has failed."""
        assert self.status == 0, f"status {self.status}: {self.err}\n{self.out!r}"
        return self.out


class Conversation:
    """A command that is talked with while it runs."""

    def __init__(
        self, process: subprocess.Popen[bytes], to: IO[bytes], answers: IO[bytes]
    ) -> None:
        self._process = process
        self._to = to
        self._answers = answers
        self._heard = b""

    def say(self, data: bytes) -> None:
        """Give it some input, all at once."""
        os.write(self._to.fileno(), data)

    def hear(self, last: bytes) -> bytes:
        """@return: what comes, up to and with these octets."""
        while last not in self._heard:
            part = self._read(f"waiting for {last!r} behind {self._heard!r}")
            assert part, f"ended without {last!r}: {self._heard!r}"
            self._heard += part
        before, found, self._heard = self._heard.partition(last)
        return before + found

    def finish(self) -> None:
        """Say no more."""
        self._to.close()

    def rest(self) -> bytes:
        """@return: all that comes until it says no more."""
        while part := self._read(f"the end is missing behind {self._heard!r}"):
            self._heard += part
        return self._heard

    def status(self) -> int:
        """@return: how it has ended."""
        return self._process.wait(PATIENCE)

    def stop(self) -> None:
        """However it is: have it gone."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE)
        self._to.close()
        self._answers.close()

    def _read(self, otherwise: str) -> bytes:
        ready, _, _ = select.select([self._answers], [], [], PATIENCE)
        assert ready, otherwise
        try:
            return os.read(self._answers.fileno(), 65536)
        except OSError:  # EIO: a terminal that nobody has open on its other side
            return b""


class PeersCase(ProcessCase):
    """
    Real programs talk with each other through portmux.

    All of them run in C{folder}, and none outlives its test.
    """

    def reserve(self) -> int:
        """
        @return: a port of 127.0.0.1 that nobody else is given during the test.

        It is bound, so that the system gives it to no one, but not listened on:
        a server can use it that sets SO_REUSEADDR, as nearly all do, and until
        then connections to it are refused.
        """
        held = socket.socket()
        self.addCleanup(held.close)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port

    def front(self, text: str, *options: str, **ports: int) -> Foreground:
        """
        Run portmux.

        @param text: a configuration, in which C{${NAME}} are the C{ports}.
        @return: once it serves.
        """
        numbers = {name: str(port) for name, port in ports.items()}
        return self.portmux(text, *options, env=environment(**numbers))

    def serve(self, ready: Callable[[], bool], *command: str | Path) -> Foreground:
        """@return: a server that was started, once it is ready."""
        server = self.start(program(str(command[0])), *command[1:])
        until(lambda: ready() or has_ended(server.pid), server.text)
        assert not has_ended(server.pid), f"ended: {server.text()}"
        return server

    def ask(self, *command: str | Path, data: bytes = b"") -> Ran:
        """@return: what becomes of a command that is given this input, and its end."""
        run = subprocess.run(
            [program(str(command[0])), *command[1:]],
            cwd=self.folder,
            env=environment(),
            input=data,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return Ran(run.returncode, run.stdout, run.stderr.decode(errors="replace"))

    def talk(self, *command: str | Path) -> Conversation:
        """@return: a command whose input and output, errors included, are pipes."""
        process = subprocess.Popen(
            [program(str(command[0])), *command[1:]],
            cwd=self.folder,
            env=environment(),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdin is not None and process.stdout is not None
        talk = Conversation(process, process.stdin, process.stdout)
        self.addCleanup(talk.stop)
        return talk

    def talk_by_terminal(self, *command: str | Path) -> Conversation:
        """@return: a command that sits at a terminal, and we at its other side."""
        ours, theirs = os.openpty()
        with open(theirs, "wb", buffering=0) as slave:
            process = subprocess.Popen(
                [program(str(command[0])), *command[1:]],
                cwd=self.folder,
                env=environment(),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
            )
        to = os.fdopen(os.dup(ours), "wb", buffering=0)
        talk = Conversation(process, to, os.fdopen(ours, "rb", buffering=0))
        self.addCleanup(talk.stop)
        return talk

    def record(self, running: Foreground, number: int = 1) -> dict[str, str]:
        """@return: the fields of the n-th record, once it is there."""
        return fields(running.records(number)[number - 1])
