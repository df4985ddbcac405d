"""A program that is watched and changed while it runs, from its command line to ctl."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
from contextlib import closing
from pathlib import Path

from tests.integration.processes import (
    PORTMUX,
    Foreground,
    ProcessCase,
    backend,
    connect,
    environment,
)

CONFIG = """\
listeners:
  front: {bind: "127.0.0.1:0", forward: "127.0.0.1:%d"}
control: {line: "127.0.0.1:0"}
state: kept
"""

LINE = r"control\.line listens on 127\.0\.0\.1:(\d+)"


class ControlCase(ProcessCase):
    running: Foreground
    control: Path

    def ctl(self, *words: str) -> str:
        """@return: what it prints. @raise AssertionError: it has failed."""
        at = f"unix:{self.control}"
        status, out, err = self.call(*PORTMUX, "ctl", "--at", at, *words)
        self.assertEqual((status, err), (0, ""))
        return out

    def line(self) -> int:
        """@return: the port of the line protocol."""
        return int(self.running.wait_for(LINE)[0])


class CtlTests(ControlCase):
    def setUp(self) -> None:
        super().setUp()
        self.to = self.enterContext(backend(b"hello"))
        self.control = self.brief("control")
        # In place of the variable of these tests that has no socket be opened.
        self.env = environment(PORTMUX__CONTROL__SOCKET=str(self.control))
        self.running = self.portmux(CONFIG % self.to, env=self.env)

    def test_a_life(self) -> None:
        """What is opened serves, is shown, is kept over a restart, and forgotten."""
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        self.ctl("open", f"{port}={self.to}[retries=5]")
        with connect(port) as client:
            self.assertEqual(client.recv(9), b"hello")
        rows = json.loads(self.ctl("--json", "listeners"))
        self.assertEqual(
            [row["listener"] for row in rows], ["front", f"127.0.0.1:{port}"]
        )
        self.assertIn("retries=5", self.ctl("detail", str(port)))
        self.assertIn(f"127.0.0.1:{port}", self.ctl("diff"))
        saved = self.ctl("save")
        self.running.tell(signal.SIGTERM)
        self.assertEqual(self.running.status(), 0)
        self.assertFalse(self.control.exists())
        self.running = self.portmux(self.folder / "portmux.conf", env=self.env)
        with connect(port) as client:
            self.assertEqual(client.recv(9), b"hello")
        self.ctl("forget")
        self.assertEqual(json.loads(self.ctl("--json", "diff")), "")
        other = self.write(saved.replace("state: kept", "state: other"), "saved.conf")
        status, out, err = self.call(*PORTMUX, "check", "-c", other)
        self.assertEqual(status, 0, out + err)

    def test_close(self) -> None:
        """A tunnel's clients and remotes see the end, not a reset, at once."""
        with (
            closing(socket.create_server(("127.0.0.1", 0))) as remote,
            closing(socket.create_server(("127.0.0.1", 0))) as free,
        ):
            port = free.getsockname()[1]
            free.close()
            self.ctl("open", f"{port}={remote.getsockname()[1]}")
            with connect(port) as client, closing(remote.accept()[0]) as served:
                served.settimeout(30)
                client.sendall(b"x")
                self.assertEqual(served.recv(9), b"x")
                self.ctl("close", str(port))
                self.assertEqual((client.recv(9), served.recv(9)), (b"", b""))
        self.running.wait_for(r"end=tunnel-closed")

    def test_sessions(self) -> None:
        """They are shown, and ended."""
        with connect(self.running.port()) as client:
            client.recv(9)
            (row,) = json.loads(self.ctl("--json", "sessions"))
            self.assertEqual(row["client"].partition(":")[0], "127.0.0.1")
            self.assertEqual(self.ctl("kill", str(row["session"])), "Killed: 1\n")
        self.running.wait_for(r"end=killed")

    def test_reload_and_top(self) -> None:
        self.assertEqual(self.ctl("reload"), "reloaded\n")
        self.assertIn("front", self.ctl("top"))
        self.assertIn(f"pid {self.running.pid}", self.ctl("version"))

    def test_nobody(self) -> None:
        status, _, err = self.call(*PORTMUX, "ctl", "--at", "unix:nobody", "status")
        self.assertEqual(status, 1)
        self.assertIn("no portmux at unix:nobody", err)

    def test_crowd(self) -> None:
        """Hundreds of clients who never read cost others nothing that they notice."""
        port = self.line()
        self.allow_many_files()
        before = self.running.memory()
        crowd = []
        for _ in range(200):
            client = socket.create_connection(("127.0.0.1", port))
            self.addCleanup(client.close)
            client.settimeout(0.0)
            crowd.append(client)
        for client in crowd:
            for _ in range(50):
                try:
                    client.send(b"help\n" * 2000)
                except BlockingIOError:
                    break
        with connect(self.running.port()) as client:
            self.assertEqual(client.recv(9), b"hello")
        self.assertIn("OK", self.ask_line("status"))
        grown = self.running.memory() - before
        self.assertLess(grown, 200 * (1 << 18), "a quarter of a MiB each")

    def ask_line(self, line: str) -> str:
        with socket.create_connection(("127.0.0.1", self.line())) as client:
            client.sendall(line.encode() + b"\n")
            return client.recv(65536).decode()

    def test_at_once(self) -> None:
        """Changes from many sides come one after another, and none is lost."""
        ports = []
        for _ in range(20):
            with closing(socket.create_server(("127.0.0.1", 0))) as free:
                ports.append(free.getsockname()[1])
        ports = list(dict.fromkeys(ports))
        replies: list[str] = []

        def opened(port: int) -> None:
            replies.append(self.ask_line(f"open {port}={self.to}"))

        threads = [threading.Thread(target=opened, args=(port,)) for port in ports]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(replies), {"OK\n"})
        rows = json.loads(self.ctl("--json", "listeners"))
        self.assertEqual(len(rows), len(ports) + 1)


class PlexyTests(ControlCase):
    def started(self, *words: str) -> Foreground:
        self.running = self.start(*PORTMUX, "plexy", *words)
        self.running.wait_for("portmux runs with")
        return self.running

    def test_tunnels(self) -> None:
        """Those that can be opened are; TERM cuts at once."""
        to = self.enterContext(backend(b"hello"))
        with closing(socket.create_server(("127.0.0.1", 0))) as busy:
            taken = busy.getsockname()[1]
            running = self.started("-c", "127.0.0.1:0", f"{taken}=1", f"0={to}")
            found = running.wait_for(r"127\.0\.0\.1:0 listens on 127\.0\.0\.1:(\d+)")
            with connect(int(found[0])) as client:
                self.assertEqual(client.recv(9), b"hello")
                running.tell(signal.SIGTERM)
                self.assertEqual(running.status(), 0)
        self.assertIn("going on without", running.text())

    def test_idle(self) -> None:
        """Without anything to do it waits."""
        running = self.started("-c", "127.0.0.1:0")
        (port,) = running.wait_for(LINE)
        with socket.create_connection(("127.0.0.1", int(port))) as client:
            client.sendall(b"status\n")
            self.assertEqual(client.recv(100), b"OK: No tunnels\n")
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)

    def test_beyond_loopback(self) -> None:
        """There a token is needed; with one, everybody is asked for it."""
        status, _, err = self.call(*PORTMUX, "plexy", "-c", "0.0.0.0:0")
        self.assertEqual(status, 2)
        self.assertIn("token-file is needed", err)
        Path(self.folder, "token").write_text("secret\n")
        words = ("-c", "0.0.0.0:0", "--token-file", "token")
        running = self.started(*words)
        (port,) = running.wait_for(r"control\.line listens on 0\.0\.0\.0:(\d+)")
        with socket.create_connection(("127.0.0.1", int(port))) as client:
            client.sendall(b"status\nauth secret\nstatus\n")
            heard = b""
            while heard.count(b"\n") < 3:
                heard += client.recv(4096)
        self.assertTrue(re.fullmatch(rb"SORRY: [^\n]*\nOK\nOK: No tunnels\n", heard))
        status, out, _ = self.call(
            *(*PORTMUX, "ctl", "--at", f"127.0.0.1:{port}", "--token-file", "token"),
            "status",
        )
        self.assertEqual((status, out), (0, "No tunnels\n"))
