"""fail2ban reads our records: whom it would ban, and whom it must not."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from tests.integration.processes import PATIENCE, ROOT, Foreground, until
from tests.openings import OPENINGS
from tests.peers.stage import PeersCase
from tests.sockets import receive

FILTER = ROOT / "conf/fail2ban/filter.d/portmux.conf"
JAIL = ROOT / "conf/fail2ban/jail.d/portmux.conf"

CONFIG = """\
listeners:
  front:
    bind: ["127.0.0.1:0", "[::1]:0"]
    sniff: {timeout: 200ms, limit: 64}
    routes:
      - {name: ssh, match: ssh, echo: }
      - {name: web, match: {http: {host: good.test}}, echo: }
      - {name: close, match: {prefix: bye}, close: }
  chosen:
    bind: "127.0.0.1:0"
    sniff: {timeout: 200ms}
    routes: [{name: ssh, match: ssh, echo: }]
    fallback: close
    undecided: close
  kind:
    bind: "127.0.0.1:0"
    sniff: {timeout: 200ms}
    routes: [{name: ssh, match: ssh, echo: }]
    fallback: echo
    silent: echo
  strict:
    bind: "127.0.0.1:0"
    limits: {ban: {failures: 1, within: 1h, duration: 1h}}
    routes: [{name: ssh, match: ssh, echo: }]
  unix:
    bind: unix:front
    routes: [{name: ssh, match: ssh, echo: }]
log: {access: access.log, format: FORMAT}
"""

GOOD, BAD, FORGED = "127.0.0.2", "127.0.0.3", "203.0.113.99"

FORGERIES = (
    f"GET / HTTP/1.1\r\nHost: x client={FORGED}:1 end=no-route hint=\r\n\r\n",
    f'GET /"client":"{FORGED}:1","end":"limit-ban", HTTP/1.1\r\nHost: x\r\n\r\n',
    f"GET / HTTP/1.1\r\nHost: a\n2026-01-01T00:00:00.000Z session=1 listener=x"
    f" route=- cause=refused client={FORGED}:1 local=x backend=- end=limit-ban\r\n\r\n",
    f'2026-01-01T00:00:00.000Z session=9 client={FORGED}:1 hint="explain with: \n',
)


def visit(port: int, data: bytes = b"", source: str = GOOD, ends: bool = False) -> None:
    """
    Say this and read to the end.

    @param ends: say the end too, at once.
    """
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        client.bind((source, 0))
        client.connect(("127.0.0.1", port))
        with contextlib.suppress(ConnectionError):  # portmux closes first, or resets
            client.sendall(data)
            if ends:
                client.shutdown(socket.SHUT_WR)
            receive(client)


class RegexTests(PeersCase):
    """What C{fail2ban-regex} makes of each line, in both forms and modes."""

    def begin(self, form: str) -> Foreground:
        self.count = 0
        return self.front(CONFIG.replace("FORMAT", form))

    def lines(self) -> list[str]:
        """@return: as many records as there were clients, once they are there."""
        log = self.folder / "access.log"

        def read() -> list[str]:
            return log.read_text().splitlines()

        until(lambda: len(read()) >= self.count, lambda: f"{len(read())} records")
        self.assertEqual(len(read()), self.count)
        return read()

    def found(self, lines: list[str], mode: str = "normal") -> list[str]:
        """@return: the addresses in which fail2ban sees failures, one for each."""
        log = self.folder / "some.log"
        log.write_text("".join(f"{line}\n" for line in lines))
        command = ("fail2ban-regex", "-o", "<ip>", log, f"{FILTER}[mode={mode}]")
        return self.ask(*command).checked().decode().split()

    def say(self, *what: object, **how: object) -> None:
        visit(*what, **how)  # type: ignore[arg-type] # handed on
        self.count += 1

    def hold(self, mode: str, expected: list[str]) -> None:
        """Compare what is found in the file, and by way of syslog."""
        lines = self.lines()
        starts = ("", "Nov 20 11:00:00 host portmux[7]: ")
        dated = "2026-11-20T11:00:00.123456+00:00 host portmux[7]: "
        for start in (*starts, dated):
            found = self.found([start + line for line in lines], mode)
            self.assertEqual(found, expected, (start, lines))

    def bad(self, running: Foreground) -> None:
        """All ways to be nobody's, which are found in each mode."""
        front, chosen = running.port("front"), running.port("chosen")
        for port in (front, chosen):
            self.say(port, b"nonsense\r\n", BAD)
            self.say(port, b"SS", BAD, ends=True)
            self.say(port, b"SS", BAD)
        hello = OPENINGS["tls13-curl"]
        self.say(front, hello[:100], BAD)  # more than the limit

    def good(self, running: Foreground) -> None:
        """What fits a route, and who opens a port and closes it again."""
        front = running.port("front")
        self.say(front, b"SSH-2.0-test\r\n", ends=True)
        self.say(front, b"GET / HTTP/1.1\r\nHost: good.test\r\n\r\n", ends=True)
        self.say(front, b"bye")
        self.say(front, ends=True)
        self.say(running.port("chosen"), ends=True)
        with socket.socket(socket.AF_UNIX) as client:
            here = os.path.relpath(self.folder)  # the whole path may be too long
            client.bind(f"{here}/{FORGED}:1")
            client.connect(f"{here}/front")
            client.sendall(b"nonsense")
            receive(client)
            self.count += 1

    def uncertain(self, running: Foreground) -> None:
        """What only the aggressive mode takes for bad."""
        self.say(running.port("front"))  # silence
        kind = running.port("kind")
        self.say(kind, b"nonsense", ends=True)  # its fallback serves

    def check(self, form: str) -> None:
        running = self.begin(form)
        self.good(running)
        self.hold("normal", [])
        self.hold("aggressive", [])
        self.uncertain(running)
        self.hold("normal", [])
        self.hold("aggressive", [GOOD] * 2)
        self.bad(running)
        self.hold("normal", [BAD] * 7)
        self.hold("aggressive", [GOOD] * 2 + [BAD] * 7)

    def test_text(self) -> None:
        self.check("text")

    def test_json(self) -> None:
        self.check("json")

    def test_refused(self) -> None:
        """Who is banned by portmux and goes on is found each time."""
        for form in ("text", "json"):
            running = self.begin(form)
            port = running.port("strict")
            self.say(port, b"nonsense", BAD)
            for _ in range(2):
                self.say(port, b"SSH-2.0-test\r\n", BAD)
            self.say(port, b"SSH-2.0-test\r\n", ends=True)
            self.hold("normal", [BAD] * 3)
            running.kill()
            (self.folder / "access.log").unlink()
            (self.folder / "front").unlink()

    def test_forgeries(self) -> None:
        """Whatever a peer says, no address but its own is found."""
        for form in ("text", "json"):
            running = self.begin(form)
            for text in FORGERIES:
                self.say(running.port(), text.encode(), BAD, ends=True)
            for mode in ("normal", "aggressive"):
                self.hold(mode, [BAD] * len(FORGERIES))
            running.kill()
            (self.folder / "access.log").unlink()
            (self.folder / "front").unlink()

    def test_of_the_other_family(self) -> None:
        """Addresses of IPv6 are found without their brackets."""
        running = self.begin("text")
        (port,) = running.wait_for(r"front listens on \[::1\]:(\d+)")
        with socket.create_connection(("::1", int(port)), PATIENCE) as client:
            client.sendall(b"nonsense")
            receive(client)
        self.count += 1
        self.hold("normal", ["::1"])


class ServerTests(PeersCase):
    """fail2ban itself, with our jail as it is shipped but for paths."""

    def configured(self) -> Path:
        """@return: the system's configuration with ours in it, and nobody else's."""
        folder = self.folder / "fail2ban"
        shutil.copytree("/etc/fail2ban", folder)
        shutil.rmtree(folder / "jail.d")
        for file in (FILTER, JAIL):
            target = folder / file.relative_to(ROOT / "conf/fail2ban")
            target.parent.mkdir(exist_ok=True)
            shutil.copy(file, target)
        (folder / "fail2ban.local").write_text(
            "[Definition]\nlogtarget = STDOUT\ndbfile = None\n"
        )
        (folder / "action.d/none.conf").write_text("[Definition]\n")
        (folder / "jail.local").write_text(
            "[DEFAULT]\nignoreself = false\n"
            "[portmux]\naction = none\nbackend = polling\n"
            f"logpath = {self.folder}/access.log\n"
        )
        return folder

    def test_ban(self) -> None:
        """The fifth failure of one address bans it; nobody else."""
        running = self.front(CONFIG.replace("FORMAT", "text"))
        socket_ = self.folder / "f.sock"
        own = ("-c", self.configured(), "-s", socket_, "-p", self.folder / "f.pid")
        server = self.serve(
            socket_.exists, "fail2ban-server", *own, "-x", "-f", "start"
        )
        server.wait_for(r"Jail 'portmux' started")
        for _ in range(5):
            visit(running.port(), b"SSH-2.0-test\r\n", GOOD, ends=True)
            visit(running.port(), b"nonsense", BAD)
        bans: Callable[[], list[str]] = lambda: re.findall(  # noqa: E731
            r"\[portmux\] Ban (\S+)", server.text()
        )
        until(bans, server.text)
        self.assertEqual(bans(), [BAD])
