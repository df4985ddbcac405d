"""Test portmux.tap; whole programs run in tests/integration."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    formatEvent,
    globalLogPublisher,
)
from twisted.python import usage
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from portmux import __version__
from portmux.app.inputs import DEFAULT
from portmux.app.output import Output
from portmux.app.service import Portmux
from portmux.config.sources.compact import Compact
from portmux.tap import LOGGER, Options, makeService, output

TEXT = 'listeners: {front: {bind: "127.0.0.1:0", echo: }}\n'


@implementer(ILogObserver)
class Heard:
    """@ivar texts: warnings of the part that is tested."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_namespace"] == "portmux.tap":
            self.texts.append(formatEvent(event))


class TapCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.errors = io.StringIO()
        self.patch(sys, "__stderr__", self.errors)
        self.out = io.StringIO()
        self.patch(sys, "stdout", self.out)

    def parsed(self, *words: str, **twistd: Any) -> Options:
        """@param twistd: what twistd's own options were."""
        options = Options()
        options.parent = usage.Options()
        options.parent.update(twistd)
        options.parseOptions(list(words))
        return options

    def refused(self, *words: str) -> str:
        """@return: what is said of a faulty command line."""
        error = self.assertRaises(SystemExit, self.parsed, *words)
        assert isinstance(error, SystemExit)
        self.assertEqual(error.code, 2)
        return self.errors.getvalue()


class OptionsTests(TapCase):
    def test_defaults(self) -> None:
        """Without options it is the usual file, in whatever syntax it has."""
        options = self.parsed()
        self.assertEqual(
            (options["config"], options["syntax"], options["set"]), (DEFAULT, None, [])
        )

    def test_all(self) -> None:
        """Settings are collected in their order."""
        words = ("-c", "x", "--syntax", "toml", "--set", "a=1", "--set", "b=-2")
        options = self.parsed(*words)
        self.assertEqual(
            (options["config"], options["syntax"], options["set"]),
            ("x", "toml", ["a=1", "b=-2"]),
        )

    def test_faults(self) -> None:
        """Each is one line that says what to do instead."""
        for words, said in (
            (["--bogus"], "option --bogus not recognized; --help lists all options"),
            (["-c"], "option -c requires argument; --help lists all options"),
            (["x"], "unexpected argument 'x'; a configuration is given by -c FILE"),
            (
                ["-c", "x", "--listen", ":1", "ssh=a:1"],
                "there are -c and --listen, one of them is allowed",
            ),
            (
                ["-c", "x", "ssh=a:1"],
                "there are -c and MATCHER=BACKEND, one of them is allowed",
            ),
            (
                ["--syntax", "ini"],
                "unknown syntax 'ini', yaml, toml, json, portsplit are allowed",
            ),
        ):
            self.errors.truncate(0)
            self.errors.seek(0)
            self.assertEqual(self.refused(*words), f"portmux: {said}\n")

    def test_listen(self) -> None:
        """No file is read then, not even the usual one."""
        options = self.parsed("--listen", ":1", "--listen", ":2", "ssh=a:1", "tls=b:1")
        self.assertIsNone(options["config"])
        self.assertEqual(
            options["compact"], Compact((":1", ":2"), ("ssh=a:1", "tls=b:1"))
        )

    def test_version(self) -> None:
        """It is ours, not Twisted's."""
        error = self.assertRaises(SystemExit, self.parsed, "--version")
        assert isinstance(error, SystemExit)
        self.assertIn(error.code, (None, 0))
        self.assertEqual(self.out.getvalue(), f"portmux {__version__}\n")


class MakeServiceTests(TapCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.path = Path(self.mktemp()).absolute()
        self.heard = Heard()
        globalLogPublisher.addObserver(self.heard)
        self.addCleanup(globalLogPublisher.removeObserver, self.heard)
        made = output()
        self.addCleanup(made.limit, made.level, made.levels)
        self.addCleanup(setattr, made, "json", made.json)

    def made(self, text: str, *words: str, **twistd: Any) -> IService:
        """@return: the program for this configuration."""
        self.path.write_text(text)
        return makeService(self.parsed("-c", str(self.path), *words, **twistd))

    def test_service(self) -> None:
        """What twistd asks for, with every layer of the configuration."""
        service = self.made(TEXT, "--set", "drain=7s")
        verifyObject(IService, service)
        assert isinstance(service, Portmux)
        self.assertEqual(service.config.drain, 7.0)
        self.assertEqual(list(service.config.listeners), ["front"])

    def test_no_file(self) -> None:
        """A listener of the command line is configured like any other."""
        options = self.parsed("--listen", "127.0.0.1:0", "ssh=127.0.0.1:22")
        service = makeService(options)
        assert isinstance(service, Portmux)
        self.assertEqual(service.config.listeners["front"].routes[0].name, "ssh")

    def test_hup_from_the_beginning(self) -> None:
        """Once the file is read, a HUP does not kill."""
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.made(TEXT)
        self.assertIsNot(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)

    def test_faults(self) -> None:
        """All of them, one line each, and status 2."""
        text = "listeners: {front: {bind: 1, echo: , x: 1}}\ndrain: soon\n"
        error = self.assertRaises(SystemExit, self.made, text)
        assert isinstance(error, SystemExit)
        self.assertEqual(error.code, 2)
        lines = self.errors.getvalue().splitlines()
        self.assertGreaterEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, rf"\A{self.path}:\d+:\d+: ")

    def test_our_log(self) -> None:
        """Level and format are those of the configuration from the first line on."""
        self.assertIs(namedAny(LOGGER), output)
        self.assertIsInstance(output(), Output)
        self.assertIs(output(), output())
        log = "log: {level: warn, levels: {net: debug}, format: json}\n"
        self.made(TEXT + log, logger=output)
        self.assertEqual((output().level, output().json), (LogLevel.warn, True))
        self.assertEqual(output().levels, {"net": LogLevel.debug})
        self.assertEqual(self.heard.texts, [])

    def test_log_of_twistd(self) -> None:
        """It has neither level nor format; who wants them is told how."""
        for count, option in enumerate(("level: warn", "output: syslog"), 1):
            self.made(f"{TEXT}log: {{access: x, {option}}}\n")
            self.assertEqual(len(self.heard.texts), count)
            self.assertIn(f"--logger {LOGGER}", self.heard.texts[-1])

    def test_log_of_twistd_suffices(self) -> None:
        """A file of records needs nothing else."""
        self.made(TEXT + "log: {access: x}\n")
        self.assertEqual(self.heard.texts, [])

    def test_route_that_never_wins(self) -> None:
        """It is told at the start, and when the configuration is read again."""
        routes = "{name: a, match: ssh, close: }, {name: b, match: ssh, close: }"
        text = f'listeners: {{l: {{bind: "127.0.0.1:0", routes: [{routes}]}}}}\n'
        service = self.made(text)
        assert isinstance(service, Portmux)
        (said,) = self.heard.texts
        self.assertIn('listeners.l.routes.1: warning: route "b" can never win', said)
        service.read()
        self.assertEqual(self.heard.texts, [said, said])

    def test_pid_file_of_twistd(self) -> None:
        """There is one pid file; a second one that is asked for is not passed over."""
        self.made(TEXT + "pid: x\n", pidfile="/y")
        (said,) = self.heard.texts
        self.assertIn("--pidfile", said)
        self.made(TEXT + "pid: x\n", pidfile="")
        self.assertEqual(self.heard.texts, [said])
