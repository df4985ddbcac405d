"""Test portmux.commands.tcp_multiplexer up to twistd."""

from __future__ import annotations

import sys

from twisted.scripts import twistd

from portmux.app.inputs import NONE
from portmux.commands import tcp_multiplexer
from portmux.compat.tcp_multiplexer import PROTOCOLS, Server
from portmux.core.address import Host
from tests.test_cli import CliCase

COMMAND = tcp_multiplexer.__name__.rpartition(".")[2].replace("_", "-")

ALL = Server(
    listen=Host("*", 5020),
    target=Host("10.0.0.9", 502),
    protocol="modbus",
    timeout=10,
    delay=0.5,
    connections=2,
    backoff=2.0,
    check=60.0,
    queue=64,
    level="info",
)

SHORT = (
    "-l 5020 -t 10.0.0.9:502 -p modbus --timeout 10 --delay 500ms --max-connections 2"
    " --reconnect-backoff 2s --health-check-interval 1m --queue-size 64 -v"
)
LONG = (
    "--verbose --listen=5020 --targetServer=10.0.0.9:502 --applicationProtocol=modbus"
    " --timeout=10 --delay=500ms --max-connections=2 --reconnect-backoff=2s"
    " --health-check-interval=1m --queue-size=64"
)


class ServerTests(CliCase):
    def given(self, *words: str, status: int = 0) -> list[str]:
        """@return: what twistd's plugin is called with."""
        self.patch(sys, "argv", ["portmux"])
        self.patch(twistd, "run", lambda: None)
        self.assertEqual(self.call(COMMAND, *words), status)
        return sys.argv[5:]

    def meant(self, server: Server) -> list[str]:
        words = ["--config", NONE]
        for setting in server.settings():
            words += ["--set", setting]
        return words

    def test_defaults(self) -> None:
        self.assertEqual(self.given("server"), self.meant(Server()))

    def test_flags(self) -> None:
        """Short or long, behind the word or before it."""
        for flags in (SHORT, LONG):
            words = flags.split()
            self.assertEqual(self.given("server", *words), self.meant(ALL))
            self.assertEqual(self.given(*words, "server"), self.meant(ALL))

    def test_least_numbers(self) -> None:
        """They may be negative."""
        words = ("server", "--max-connections", "-1")
        self.assertEqual(self.given(*words), self.meant(Server(connections=-1)))

    def test_debug(self) -> None:
        self.assertEqual(self.given("server", "-d"), self.meant(Server(level="debug")))
        self.assertEqual(
            self.given("server", "--debug"), self.meant(Server(level="debug"))
        )

    def test_wrong_flags(self) -> None:
        """One line, where more is told, and status 1, as tcp-multiplexer has it."""
        for words, text in (
            ("server --nope", 'there is no option "--nope"'),
            ("server more", 'unexpected argument "more"'),
            ("server --queue 5", 'there is no option "--queue"'),
            ("nope", 'argument word: "nope" is not known, allowed: help'),
            ("server --delay 5", 'argument --delay: "5" is not a duration'),
            ("server --timeout 1.5", 'argument --timeout: "1.5" is not a whole number'),
            ("server --timeout 0", 'argument --timeout: "0" is not allowed, 1 or more'),
            ("server -l nowhere", 'argument -l/--listen: "nowhere" has no port'),
            ("server -t 502", 'argument -t/--targetServer: "502" has no host'),
        ):
            self.assertEqual(self.call(COMMAND, *words.split()), 1, words)
            start = f"portmux tcp-multiplexer: {text}"
            self.assertEqual(self.errors.getvalue()[: len(start)], start)
            self.assertIn(
                "\nusage: see portmux tcp-multiplexer", self.errors.getvalue()
            )

    def test_unknown_protocol(self) -> None:
        """Status 2, and which there are."""
        self.assertEqual(self.call(COMMAND, "server", "-p", "foo"), 2)
        self.assertIn("allowed: echo, http, iso8583,", self.errors.getvalue())

    def test_cannot_start(self) -> None:
        """Whatever twistd ends with, it is status 2."""

        def fail() -> None:
            raise SystemExit(1)

        self.patch(sys, "argv", ["portmux"])
        self.patch(twistd, "run", fail)
        self.assertEqual(self.call(COMMAND, "server"), 2)


class OtherTests(CliCase):
    def test_list(self) -> None:
        """One protocol a line, an empty line, and a hint."""
        self.assertEqual(self.call(COMMAND, "list"), 0)
        *lines, empty, hint = self.out.getvalue().splitlines()
        self.assertEqual(lines, [f"* {name}" for name in sorted(PROTOCOLS)])
        self.assertEqual((len(lines), empty), (5, ""))
        self.assertIn("-p NAME", hint)

    def test_version(self) -> None:
        self.assertEqual(self.call(COMMAND, "version"), 0)
        self.assertRegex(self.out.getvalue(), r"\Atcp-multiplexer of portmux .*\)\n\Z")

    def test_help(self) -> None:
        """Also of who does not know what to say."""
        for words in ((), ("help",), ("--help",)):
            self.assertEqual(self.call(COMMAND, *words), 0)
            self.assertIn("--reconnect-backoff", self.out.getvalue())
