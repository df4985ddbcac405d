"""conf/portmux.conf does what README says that it does."""

from __future__ import annotations

import re

from tests.documents import ROOT, Command, commands
from tests.peers.stage import PeersCase, Ran

EXAMPLE = ROOT / "conf" / "portmux.conf"
PORT = "8400"
CONTROL = "9999"


def shown() -> list[Command]:
    """@return: what README has a reader try."""
    return [one for one in commands(ROOT / "README.md") if PORT in one.line]


class ExampleTests(PeersCase):
    """Each command is run as it stands there, but for the port."""

    def setUp(self) -> None:
        super().setUp()
        free = ("listeners.front.bind=127.0.0.1:0", "control.line=127.0.0.1:0")
        self.running = self.portmux(EXAMPLE, "--set", free[0], "--set", free[1])

    def run_shown(self, promise: str) -> tuple[Ran, dict[str, str]]:
        """@return: what comes of the command of that promise, and its record."""
        (command,) = (one for one in shown() if one.promise.startswith(promise))
        line = command.line.replace(PORT, str(self.running.port()))
        return self.ask("sh", "-c", line), self.record(self.running)

    def test_all_are_tried(self) -> None:
        """There is a test for each command; the file itself shows the same ones."""
        self.assertEqual(len(shown()), 4)
        comments = re.findall(r"(?m)^#     (.*?)(?:  +.*)?$", EXAMPLE.read_text())
        tries = [one for one in comments if PORT in one]
        self.assertEqual(tries, [one.line for one in shown()])

    def test_the_port(self) -> None:
        """It listens where the commands go to."""
        self.assertIn(f'bind: "127.0.0.1:{PORT}"', EXAMPLE.read_text())
        self.assertIn(f'line: "127.0.0.1:{CONTROL}"', EXAMPLE.read_text())

    def test_page(self) -> None:
        ran, record = self.run_shown("a page")
        self.assertIn(b"<title>portmux</title>", ran.checked())
        self.assertEqual((record["route"], record["end"]), ("web", "done"))

    def test_echo(self) -> None:
        ran, record = self.run_shown("your own words")
        self.assertEqual(ran.checked(), b"echo hello\n")
        self.assertEqual((record["route"], record["end"]), ("echo", "done"))

    def test_program(self) -> None:
        ran, record = self.run_shown("a program's answer")
        self.assertEqual(ran.checked().split(), [b"1", b"4", b"12"])
        self.assertEqual((record["route"], record["end"]), ("count", "done"))

    def test_silence(self) -> None:
        ran, record = self.run_shown("say nothing")
        self.assertEqual(ran.checked(), b"Hello. You said nothing, so I speak first.\n")
        self.assertEqual((record["route"], record["cause"]), ("silent", "silent"))

    def test_control(self) -> None:
        """The command that README and the file show tells of the listener."""
        lines = [one.line for one in commands(ROOT / "README.md")]
        (line,) = (one for one in lines if CONTROL in one)
        self.assertIn(f"#     {line}\n", EXAMPLE.read_text())
        port = self.running.port("control.line")
        said = self.ask("sh", "-c", line.replace(CONTROL, str(port))).checked()
        self.assertTrue(said.startswith(b"OK"), said)
        self.assertIn(b"front", said)

    def test_anything_else(self) -> None:
        """What no route fits is told what to try."""
        words = ("-N", "127.0.0.1", str(self.running.port()))
        said = self.ask("nc", *words, data=b"good day\n").checked()
        self.assertIn(b"Try HTTP, or: echo hello", said)
