"""Where a running program writes: files it turns over, the system's log; and how."""

from __future__ import annotations

import contextlib
import json
import random
import re
import signal
import socket
import sys
from pathlib import Path

from tests.integration.processes import (
    ProcessCase,
    Running,
    backend,
    connect,
    exchange,
    say,
    until,
)
from tests.openings import OPENINGS
from tests.sockets import receive, reset

ECHO = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    routes: [{name: echo, match: {prefix: e}, echo: }]
"""


class LogCase(ProcessCase):
    def begin(self, config: str, *ahead: str) -> Running:
        """@return: the program; it may not serve yet."""
        words = ahead or ("-m", "portmux")
        return self.start(sys.executable, *words, "run", "-c", self.write(config))

    def messages(self, running: Running) -> Running:
        """@return: what it says in a file of messages, as if it were its output."""
        return Running(running.pid, self.folder / "messages")

    def ended(self, running: Running) -> None:
        """Have the program end."""
        running.tell(signal.SIGTERM)
        until(lambda: self.gone(running), running.text)

    def gone(self, running: Running) -> bool:
        return not Path(f"/proc/{running.pid}/fd/2").exists()


class FileTests(LogCase):
    def test_messages(self) -> None:
        """All that is said after the start, records too, to the last words."""
        config = ECHO + "log: {output: ./messages, levels: {app.service: warn}}\n"
        outside = self.begin(config)
        running = self.messages(outside)
        port = running.port()
        exchange(port, b"e")
        running.records(1)
        (self.folder / "messages").rename(self.folder / "moved")
        running.tell(signal.SIGUSR1)
        until((self.folder / "messages").exists, outside.text)
        exchange(port, b"e")
        self.assertRegex(running.records(1)[0], "session=2 ")
        self.ended(running)
        self.assertIn("Server Shut Down", running.text())
        self.assertIn("signal SIGUSR1", (self.folder / "moved").read_text())
        self.assertNotIn("portmux runs with", (self.folder / "moved").read_text())
        self.assertNotIn("listens on", outside.text())

    def test_cannot_be_opened(self) -> None:
        """One line on standard error, and status 1."""
        file = self.write(ECHO + "log: {output: no/such}\n")
        status, _, err = self.call(sys.executable, "-m", "portmux", "run", "-c", file)
        self.assertEqual(status, 1)
        self.assertRegex(err, r"cannot open the log \S+/no/such: no such file")
        self.assertNotIn("Traceback", err)

    def test_rotated(self) -> None:
        """No record is lost, and none is in two files, while clients come and go."""
        rotate = "rotate: {size: 4000, keep: 99}"
        running = self.portmux(f"{ECHO}log: {{access: access.log, {rotate}}}\n")
        count = 150
        for _ in range(count):
            exchange(running.port(), b"e")
        self.ended(running)
        files = list(self.folder.glob("access.log*"))
        self.assertGreater(len(files), 3)
        numbers: list[int] = []
        for file in sorted(files, key=lambda each: each.stat().st_mtime_ns):
            found = re.findall(r"^\S+Z session=(\d+) .*\n", file.read_text(), re.M)
            numbers += map(int, found)
        self.assertEqual(sorted(numbers), list(range(1, count + 1)))


LAUNCHER = """\
import sys
import portmux.app.sinks
portmux.app.sinks.SYSLOG = "socket"
from portmux.cli import main
main()
"""


class SyslogTests(LogCase):
    """A socket of ours is C{/dev/log}."""

    def test_everything(self) -> None:
        """Messages and records, one datagram each; JSON after a reload."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.settimeout(60)
            path = self.folder / "socket"
            log.bind(str(path.relative_to(Path.cwd())))

            def heard(pattern: str) -> str:
                while True:
                    text = log.recv(65536).decode()
                    if found := re.search(pattern, text):
                        head = rf"<\d+>.{{15}} portmux\[{running.pid}\]: "
                        self.assertRegex(text, head)
                        return found[1] if found.groups() else text

            running = self.begin(ECHO + "log: {output: syslog}\n", "-c", LAUNCHER)
            port = int(heard(r": info: front listens on 127\.0\.0\.1:(\d+)\Z"))
            exchange(port, b"e")
            heard(r": \S+Z session=1 listener=front .* end=done\Z")
            self.write(ECHO + "log: {output: syslog, format: json}\n")
            running.tell(signal.SIGHUP)
            heard("reloaded")
            exchange(port, b"e")
            record = json.loads(heard(r": (\{.*\"session\":2,.*\})\Z"))
            self.assertEqual(record["end"], "done")
            running.tell(signal.SIGTERM)
            heard("Server Shut Down")


HOSTILE = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {{timeout: 300ms, limit: 512}}
    timeouts: {{idle: 500ms}}
    limits: {{rate: 10000}}
    routes:
      - {{name: tls, match: {{tls: {{sni: "*.test"}}}}, echo: }}
      - {{name: http, match: {{http: {{host: "*.test"}}}}, forward: "127.0.0.1:{shut}"}}
      - {{name: ssh, match: ssh, forward: "127.0.0.1:{back}"}}
      - {{name: run, match: {{prefix: r}}, exec: [cat]}}
      - {{name: dies, match: {{prefix: d}}, exec: [sh, -c, "kill -9 $$"]}}
      - {{name: fail, match: {{prefix: "!"}}, exec: [no-such-program]}}
      - {{name: name, match: {{prefix: n}}, forward: "no-such-host.invalid:1"}}
      - {{name: unix, match: {{prefix: u}}, forward: "unix:no/such"}}
      - {{name: respond, match: {{prefix: p}}, respond: "hello"}}
log: {{level: debug}}
"""


class MistakeTests(LogCase):
    """Mistakes of peers and operators are told in lines, one for each event."""

    def test_peers(self) -> None:
        """Noise, cut handshakes, resets in any state, backends that are not there."""
        chance = random.Random(3)
        with backend() as back, socket.create_server(("127.0.0.1", 0)) as probe:
            shut = probe.getsockname()[1]
            probe.close()
            running = self.portmux(HOSTILE.format(shut=shut, back=back))
            port = running.port()
            visits = 0
            for first in (*OPENINGS.values(), *(b"%c" % each for each in b"rd!nup")):
                cut = chance.randrange(1, len(first) + 1)
                noise = bytearray(first)
                noise[chance.randrange(len(noise))] ^= 0x55
                for data in (first, first[:cut], bytes(noise)):
                    for leave in (self.ends, self.resets, self.resets_later):
                        leave(port, data)
                        visits += 1
            for size in (0, 1, 100, 100_000):
                self.ends(port, chance.randbytes(size))
                visits += 1
            running.records(visits)
            self.ended(running)
        self.hold(running)

    def test_operators(self) -> None:
        """Faults, files that cannot be had, an address in use; signals all over."""
        (self.folder / "logs").mkdir()
        config = ECHO + "log: {access: logs/access, rotate: 1000}\n"
        running = self.portmux(config)
        port = running.port()
        with connect(port) as client, socket.create_server(("127.0.0.1", 0)) as taken:
            say(client, b"e")
            used = taken.getsockname()[1]
            for text in (
                "listeners: {",
                "listeners: {front: {bind: 1}}\nlog: {level: 3}\n",
                ECHO + "log: {access: no/such}\n",
                ECHO + "log: {output: no/such}\n",
                ECHO.replace("127.0.0.1:0", f"127.0.0.1:{used}"),
                ECHO.replace("127.0.0.1:0", "unix:no/such"),
            ):
                self.write(text)
                self.assertTrue(running.reload().startswith("not reloaded"))
            (self.folder / "logs").rename(self.folder / "gone")
            running.tell(signal.SIGUSR1)
            running.wait_for("the old file stays in use")
            for _ in range(20):
                exchange(port, b"e" * 100)
            running.tell(signal.SIGTERM)
            running.wait_for("draining")
            running.tell(signal.SIGINT)
        until(lambda: self.gone(running), running.text)
        self.hold(running)

    def hold(self, running: Running) -> None:
        """No mistake of ours, and every line is one message."""
        text = running.text()
        for line in text.splitlines():
            self.assertRegex(line, r"\A\S+Z ((debug|info|warn|error): |session=)")
        self.assertNotIn("Traceback (most recent", text)
        self.assertNotIn("end=error", text)
        self.assertIn("Server Shut Down", text)

    @staticmethod
    def ends(port: int, data: bytes) -> None:
        # It may be closed before all was said.
        with connect(port) as client, contextlib.suppress(OSError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            receive(client)

    @staticmethod
    def resets(port: int, data: bytes) -> None:
        client = connect(port)
        client.sendall(data)
        reset(client)

    @staticmethod
    def resets_later(port: int, data: bytes) -> None:
        client = connect(port)
        client.sendall(data)
        client.settimeout(0.02)
        with contextlib.suppress(OSError):
            receive(client, 1)
        reset(client)
