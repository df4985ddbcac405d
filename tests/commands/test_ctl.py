"""Test portmux.commands.ctl; tests/integration has a program at the other end."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import socketserver
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux import cli
from portmux.commands.ctl import add
from portmux.control import jsonrpc
from portmux.control.commands import ALL
from portmux.control.running import run
from portmux.control.spell import of_line
from portmux.core.address import Host
from portmux.errors import CommandError
from tests.control.stage import Office


class Server(socketserver.ThreadingUnixStreamServer):
    """Does what the line protocol does, for commands that end at once."""

    daemon_threads = True

    def __init__(self, path: str, office: Office) -> None:
        super().__init__(path, Session)
        self.office = office

    def answer(self, line: str) -> bytes:
        if line.startswith("{"):
            return self._json(line)
        try:
            return run(self.office, of_line(ALL, line)).spelled().encode()
        except CommandError as error:
            return f"SORRY: {error}\n".encode()

    def _json(self, line: str) -> bytes:
        def carry_out(command: Any) -> Any:
            return run(self.office, command).result

        return (jsonrpc.answer(line.encode(), ALL, carry_out) or b"") + b"\n"


class Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        answer: Callable[[str], bytes] = self.server.answer  # type: ignore[attr-defined]
        for line in self.rfile:
            self.wfile.write(answer(line.decode().strip("\n")))


class CtlTests(SynchronousTestCase):
    def test_words(self) -> None:
        """Every command but those that mean nothing here, and top."""
        parser = argparse.ArgumentParser()
        add(parser.add_subparsers())
        words = [each.word for each in ALL if each.word not in (None, "EXIT", "AUTH")]
        for word in [*words, "top"]:
            found = parser.parse_args(["ctl", str(word)])
            self.assertEqual(found.asked, str(word).lower())

    def setUp(self) -> None:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "c")
        self.at = f"unix:{path}"
        self.office = Office()
        server = Server(path, self.office)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def ctl(self, *words: str, at: str = "") -> tuple[int, str, str]:
        """@return: status, and what was printed where."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            argv = ["ctl", "--at", at or self.at, *words]
            ended = self.assertRaises(SystemExit, cli.main, argv)
        assert isinstance(ended.code, int)
        return ended.code, out.getvalue(), err.getvalue()

    def test_text(self) -> None:
        """What the line protocol says, without its marks."""
        self.assertEqual(self.ctl("status"), (0, "No tunnels\n", ""))
        self.assertEqual(self.ctl("OPEN", "1=2"), (0, "", ""))
        status, out, _ = self.ctl("status", "full")
        self.assertEqual((status, out.splitlines()[0]), (0, "Tunnels: 1"))
        self.assertTrue(out.splitlines()[1].startswith("127.0.0.1:1 = open conns 0"))
        self.assertEqual(self.ctl("diff"), (0, "closed:\n  - a\n", ""))

    def test_table(self) -> None:
        self.office.listener("front", Host("10.0.0.1", 80))
        _, out, _ = self.ctl("pools")
        head, row = out.splitlines()
        self.assertEqual(head.split()[:3], ["POOL", "STRATEGY", "BACKENDS"])
        self.assertEqual(row.split()[:3], ["front", "first-available", "1"])
        self.assertEqual(self.ctl("sessions"), (0, "none\n", ""))

    def test_json(self) -> None:
        """Results as they are; of commands of lines only, the lines."""
        self.office.listener("front", Host("10.0.0.1", 80))
        _, out, _ = self.ctl("--json", "listeners")
        self.assertEqual(json.loads(out)[0]["listener"], "front")
        _, out, _ = self.ctl("status", "--json")
        self.assertEqual(json.loads(out), ["No tunnels"])
        self.assertEqual(json.loads(self.ctl("--json", "version")[1])["pid"], 7)

    def test_top_json(self) -> None:
        """For programs it is one picture, of numbers that only grow."""
        self.office.listener("front", Host("10.0.0.1", 80))
        status, out, _ = self.ctl("--json", "top")
        told = json.loads(out)
        self.assertEqual(list(told), ["version", "listeners", "backends", "sessions"])
        self.assertEqual((status, told["listeners"][0]["listener"]), (0, "front"))

    def test_unknown(self) -> None:
        """The command that was probably meant is named."""
        status, _, err = self.ctl("reqests")
        self.assertEqual(status, 2)
        self.assertIn('"reqests" is not known, allowed: add, ', err)
        self.assertIn('; did you mean "requests"?', err)

    def test_two_lines(self) -> None:
        """Nothing that a word holds is taken for another command."""
        status, _, err = self.ctl("explain", "front", "a\nclose 1")
        self.assertEqual(status, 2)
        self.assertIn("a word holds an end of line", err)

    def test_refused(self) -> None:
        """Status 1: it was asked, and was not done."""
        for words in (["close", "1"], ["drain", "p", "b"], ["--json", "routes", "x"]):
            status, out, err = self.ctl(*words)
            self.assertEqual((status, out), (1, ""))
            self.assertTrue(err.startswith("portmux ctl: "), err)

    def test_wrong_words(self) -> None:
        """Status 2: nobody was asked."""
        for line in ("frob", "close", "weight a b c", "sessions x"):
            words = line.split()
            self.assertEqual(self.ctl(*words)[0], 2, words)
        self.assertEqual(self.ctl("status", at="nowhere")[0], 2)

    def test_no_command(self) -> None:
        """It says what is missing, and no more."""
        status, _, errors = self.ctl()
        self.assertEqual(status, 2)
        self.assertIn("required: COMMAND\n", errors)

    def test_nobody(self) -> None:
        status, _, err = self.ctl("status", at=f"{self.at}.gone")
        self.assertEqual(status, 1)
        self.assertIn("no portmux at unix:", err)

    def test_token(self) -> None:
        """A file without one is told before anything is asked."""
        status, _, err = self.ctl("--token-file", "/dev/null", "status")
        self.assertEqual(status, 1)
        self.assertIn("has no token", err)

    def test_top(self) -> None:
        """Where nobody looks it is printed once."""
        self.office.version = lambda: {  # type: ignore[method-assign]
            "version": "1",
            "seconds": 1,
            "sessions": 0,
        }
        status, out, _ = self.ctl("top")
        self.assertEqual(status, 0)
        self.assertTrue(out.startswith("portmux 1, up 1s, 0 session(s)"))
