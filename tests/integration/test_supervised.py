"""Portmux under a service manager: what it says, and the sockets it is handed."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.processes import (
    PATIENCE,
    PORTMUX,
    Foreground,
    ProcessCase,
    environment,
    exchange,
    say,
)

TEXT = 'listeners: {front: {bind: "%s", routes: [{name: e, match: {prefix: e}, %s}]}}\n'

HANDED = """
import os, socket, sys
first = socket.create_server(("127.0.0.1", 0))
second = socket.socket(socket.AF_UNIX)
second.bind(sys.argv[1])
second.listen()
print(first.getsockname()[1], flush=True)
kept = os.dup(first.fileno()), os.dup(second.fileno())
os.dup2(kept[0], 3)
os.dup2(kept[1], 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2")
os.environ["LISTEN_FDNAMES"] = "web:local"
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Hands two sockets to a command, as systemd does. sd_listen_fds(3)."""


class NotifyTests(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        path = str(folder / "notify")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(path)
        self.manager.settimeout(PATIENCE)
        self.variables = {"NOTIFY_SOCKET": path}

    def hear(self, name: str) -> dict[str, str]:
        """@return: the next message that has this variable."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            text = self.manager.recv(4096).decode()
            message = dict(line.split("=", 1) for line in text.split("\n"))
            if name in message:
                return message
        raise AssertionError(f"{name} was not said")

    def run_notifying(self, action: str = "echo: ", **variables: str) -> Foreground:
        """@return: portmux, which tells us how it is."""
        file = self.write(TEXT % ("127.0.0.1:0", action))
        env = environment(**self.variables, **variables)
        return self.start(*PORTMUX, "run", "-c", file, env=env)

    def test_life(self) -> None:
        """Ready when it serves; reloading, ready; stopping when told to end."""
        running = self.run_notifying()
        self.assertEqual(self.hear("READY")["STATUS"], "1 listener(s), 0 session(s)")
        port = running.port()
        self.assertEqual(exchange(port, b"echo"), b"echo")
        running.tell(signal.SIGHUP)
        self.assertEqual(set(self.hear("RELOADING")), {"RELOADING", "MONOTONIC_USEC"})
        self.hear("READY")
        self.write("listeners: none\n")
        running.tell(signal.SIGHUP)
        self.hear("RELOADING")
        status = self.hear("READY")["STATUS"]
        self.assertRegex(status, "the last reload was refused$")
        with socket.create_connection(("127.0.0.1", port)) as client:
            say(client, b"e")
            running.tell(signal.SIGTERM)
            message = self.hear("STOPPING")
            self.assertEqual(message["STATUS"], "about to end, 1 session(s) left")
        self.assertEqual(running.status(), 0)

    def test_watchdog(self) -> None:
        """It hears from a process that does nothing else."""
        self.run_notifying(WATCHDOG_USEC="100000")
        self.hear("READY")
        self.hear("WATCHDOG")
        self.hear("WATCHDOG")

    def test_programs_are_not_the_service(self) -> None:
        """What the exec action starts cannot speak for us."""
        running = self.run_notifying("exec: [env]", WATCHDOG_USEC="60000000")
        self.hear("READY")
        told = exchange(running.port(), b"e")
        self.assertIn(b"PATH=", told)
        self.assertNotIn(b"NOTIFY_SOCKET", told)
        self.assertNotIn(b"WATCHDOG", told)


class HandedSocketTests(ProcessCase):
    def handed(self, bind: str, path: Path) -> Foreground:
        """@return: portmux, which was handed two sockets."""
        file = self.write(TEXT % (bind, "echo: "))
        command = (sys.executable, "-c", HANDED, path, *PORTMUX, "run", "-c", file)
        return self.start(*command)

    def socket_path(self) -> Path:
        """@return: a short path, as those of sockets have to be."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        return folder / "local"

    def test_by_name(self) -> None:
        """C{systemd:NAME} is the socket of that C{FileDescriptorName=}."""
        running = self.handed("systemd:web", self.socket_path())
        running.started()
        (port,) = running.wait_for(r"(?m)^(\d+)$")
        self.assertEqual(exchange(int(port), b"echo"), b"echo")
        self.assertRegex(running.reload(), "^reloaded")
        self.assertEqual(exchange(int(port), b"echo"), b"echo")
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)

    def test_file_is_systemds(self) -> None:
        """Where the socket stands, the next start expects it to stand."""
        path = self.socket_path()
        running = self.handed("systemd:local", path)
        running.started()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            say(client, b"e")
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)
        self.assertTrue(path.is_socket())

    def test_no_such_name(self) -> None:
        """It says which there are."""
        running = self.handed("systemd:wbe", self.socket_path())
        self.assertEqual(running.status(), 1)
        self.assertIn(
            "cannot listen on systemd:wbe: systemd handed over local, web",
            running.text(),
        )
