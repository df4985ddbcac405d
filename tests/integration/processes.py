"""Portmux as a process of its own: start it, read what it says, signal it, stop it."""

from __future__ import annotations

import os
import re
import resource
import select
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from twisted.trial.unittest import SynchronousTestCase

from tests.engines import SETTING
from tests.sockets import receive

ROOT = Path(__file__).parent.parent.parent

PATIENCE = 60.0
"""Seconds for a process to do its part, on a busy machine."""

PAUSE = 0.01
"""Seconds between two looks at a file that another process writes."""

PORTMUX = (sys.executable, "-m", "portmux")

TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
"""What C{twistd} is; Debian gives it another name."""

CONTROL = "PORTMUX__CONTROL__SOCKET"
"""Several may run at a time; the usual place is for one."""

Stream = int | IO[Any] | None


def environment(**variables: str) -> dict[str, str]:
    """@return: ours, without what configures portmux, and these."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("PORTMUX__", "LISTEN_", "NOTIFY_"))
    }
    own = {"PYTHONPATH": str(ROOT), CONTROL: "none"}
    return {**inherited, **own, **SETTING, **variables}


def figures(text: str) -> None:
    """Print what was measured, if C{PORTMUX_FIGURES} is set."""
    if "PORTMUX_FIGURES" in os.environ and sys.__stderr__ is not None:
        sys.__stderr__.write(f"\n{text}\n")


def until(condition: Callable[[], object], what: Callable[[], str]) -> None:
    """
    Wait until something is so.

    @param what: tells what is the case instead.
    @raise AssertionError: it is not so within L{PATIENCE}.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"still waiting: {what()}")
        time.sleep(PAUSE)


def has_ended(pid: int, patience: float = 0.0) -> bool:
    """@return: whether a process ends within C{patience} seconds; any process."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ends = select.poll()  # select() cannot, when many files are open
        ends.register(descriptor, select.POLLIN)
        return bool(ends.poll(patience * 1000))
    finally:
        os.close(descriptor)


class Running:
    """
    A process that writes its log into a file.

    @ivar log: that file.
    """

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log

    def text(self) -> str:
        """@return: all that it has said so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_for(self, pattern: str, count: int = 1) -> list[str]:
        """
        Wait until it has said something so often.

        @param pattern: a regular expression, for within one line.
        @return: the first group of each match; all of it without a group.
        """
        found: list[str] = []

        def said() -> bool:
            found[:] = re.findall(pattern, self.text())
            return len(found) >= count or has_ended(self.pid)

        until(said, lambda: f"{pattern!r} is not in\n{self.text()}")
        found[:] = re.findall(pattern, self.text())
        if len(found) < count:
            raise AssertionError(f"ended without {pattern!r}:\n{self.text()}")
        return found

    def started(self) -> None:
        """Wait until it serves."""
        self.wait_for("portmux runs with")

    def port(self, listener: str = "front", turn: int = 0) -> int:
        """@return: where a listener of 127.0.0.1:0 has begun to listen."""
        pattern = rf"\b{listener} listens on 127\.0\.0\.1:(\d+)"
        return int(self.wait_for(pattern, turn + 1)[turn])

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def reload(self) -> str:
        """@return: the line that tells what became of it."""
        pattern = r"(?:not )?reloaded: .*"
        before = len(re.findall(pattern, self.text()))
        self.tell(signal.SIGHUP)
        return self.wait_for(pattern, before + 1)[before]

    def records(self, count: int) -> list[str]:
        """@return: so many records that stand in the log, from the first on."""
        return self.wait_for(r"\S+Z session=.*", count)[:count]

    def descriptors(self) -> list[str]:
        """@return: what it has open."""
        found = []
        for one in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.append(os.readlink(one))
        return found

    def memory(self) -> int:
        """@return: octets of memory that are its own and present."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s*(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def kill(self) -> None:
        """However it is: have it gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            has_ended(self.pid, PATIENCE)


class Foreground(Running):
    """A child of ours."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        super().__init__(process.pid, log)
        self._process = process

    def status(self) -> int:
        """@return: the exit status, once it has ended; negative: the signal."""
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE)


class ProcessCase(SynchronousTestCase):
    """
    Tests with processes, which do not outlive them.

    @ivar folder: where they run; each test has one of its own.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self._runs = 0

    def allow_many_files(self) -> None:
        """Have this test open as many as the system lets it."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def write(self, text: str, name: str = "portmux.conf") -> Path:
        """@return: a file of that content; replaced as a whole."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(text)
        return fresh.replace(self.folder / name)

    def brief(self, name: str) -> Path:
        """@return: where a socket can be wherever the tests run: in 108 octets."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        return folder / name

    def start(
        self,
        *command: str | Path,
        env: dict[str, str] | None = None,
        stderr: Stream = None,
        preexec: Callable[[], None] | None = None,
        keep: Sequence[int] = (),
    ) -> Foreground:
        """
        Start any command; both its streams go to one file, unless said otherwise.

        @param preexec: called in the child before it becomes the command.
        @param keep: descriptors that the command has, too.
        """
        self._runs += 1
        log = self.folder / f"output.{self._runs}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=env or environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output if stderr is None else stderr,
                preexec_fn=preexec,
                pass_fds=keep,
            )
        running = Foreground(process, log)
        self.addCleanup(running.kill)
        return running

    def portmux(self, config: str | Path, *options: str, **how: Any) -> Foreground:
        """@return: C{portmux run} with this configuration, once it serves."""
        file = self.write(config) if isinstance(config, str) else config
        running = self.start(*PORTMUX, "run", "-c", file, *options, **how)
        running.started()
        return running

    def call(self, *command: str | Path, **how: Any) -> tuple[int, str, str]:
        """@return: status, standard output and standard error of a short command."""
        run = subprocess.run(
            command,
            cwd=self.folder,
            env=how.pop("env", None) or environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            **how,
        )
        return run.returncode, run.stdout, run.stderr

    def daemon(
        self, config: str, twistd: Sequence[str] = (), options: Sequence[str] = ()
    ) -> Running:
        """@return: C{twistd portmux}, once its log says that it serves."""
        log, pidfile = self.folder / "daemon.log", self.folder / "daemon.pid"
        file = self.write(config)
        own = (f"--pidfile={pidfile}", f"--logfile={log}", *twistd)
        status, out, err = self.call(*TWISTD, *own, "portmux", "-c", file, *options)
        self.assertEqual((status, out, err), (0, "", ""))
        running = Running(int(pidfile.read_text()), log)
        self.addCleanup(running.kill)
        running.started()
        return running


# -- clients and backends


def connect(port: int) -> socket.socket:
    """@return: a client's connection to 127.0.0.1, which waits for long."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def exchange(port: int, data: bytes) -> bytes:
    """@return: all that comes back for C{data} and the end of it."""
    with connect(port) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return receive(client)


def say(client: socket.socket, data: bytes) -> None:
    """Have C{data} echoed; so it is known that the session is decided and lives."""
    client.sendall(data)
    got = receive(client, len(data))
    assert got == data, got


class _Named(socketserver.BaseRequestHandler):
    """Says the backend's name, then sends everything back."""

    def handle(self) -> None:
        self.request.sendall(self.server.name)  # type: ignore[attr-defined] # ours
        while data := self.request.recv(65536):
            self.request.sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024
    name = b""

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was cut is no news."""


@contextmanager
def backend(name: bytes = b"") -> Iterator[int]:
    """Run a backend in threads; @return: its port."""
    with _Server(("127.0.0.1", 0), _Named) as server:
        server.name = name
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
