"""Test portmux.cli; what run and portsplit start is tested in tests/integration."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from portmux import __version__
from portmux.cli import main

TEXT = """\
listeners:
  front:
    bind: "127.0.0.1:8400"
    routes:
      - {name: ssh, match: ssh, forward: "127.0.0.1:22"}
      - {name: all, match: always, echo: }
drain: ${SECONDS}
"""

SPLIT = """\
bind = 127.0.0.1:8400
maxconn = 5
[ssh]
string = SSH-
connect = 127.0.0.1:22
[fallback]
exec = cat
"""


class CliCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()).absolute()
        self.out, self.errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.errors)

    def call(self, *words: str) -> int:
        """@return: the exit status of a command."""
        self.out.truncate(0)
        self.out.seek(0)
        self.errors.truncate(0)
        self.errors.seek(0)
        error = self.assertRaises(SystemExit, main, list(words))
        assert isinstance(error, SystemExit)
        assert isinstance(error.code, int)
        return error.code

    def write(self, text: str) -> str:
        """@return: the name of a file of this content."""
        self.path.write_text(text)
        return str(self.path)


class CommandLineTests(CliCase):
    def test_version(self) -> None:
        """It is printed, and nothing else happens."""
        self.assertEqual(self.call("--version"), 0)
        self.assertEqual(self.out.getvalue(), f"portmux {__version__}\n")

    def test_help(self) -> None:
        """Every command is listed with what it does."""
        self.assertEqual(self.call("--help"), 0)
        for name in ("run", "check", "config", "portsplit", "convert"):
            self.assertRegex(self.out.getvalue(), rf"\n +{name}\s+[a-z]")

    def test_faults(self) -> None:
        """Each says what is wrong, and how it is used; status 2."""
        for words, said in (
            ([], r"portmux: .*COMMAND"),
            (["fly"], r"portmux: .*'fly'.*'run'.*"),
            (["run", "--bogus"], r"portmux: .*--bogus"),
            (["run", "extra"], r"portmux: .*extra"),
            (["check", "--syntax", "ini"], r"portmux check: .*'ini'.*'toml'.*"),
            (["convert", "x"], r"portmux convert: .*--from"),
            (["portsplit"], r"portmux portsplit: .*FILE"),
        ):
            self.assertEqual(self.call(*words), 2, words)
            self.assertRegex(
                self.errors.getvalue(), rf"\A{said}\nusage: portmux (.*\n)+\Z"
            )
            self.assertEqual(self.out.getvalue(), "")


class CheckTests(CliCase):
    def test_in_order(self) -> None:
        """One line tells what was found; nothing is run."""
        name = self.write(TEXT.replace("${SECONDS}", "3s"))
        self.assertEqual(self.call("check", "-c", name), 0)
        self.assertEqual(
            self.out.getvalue(), f"{name}: in order, 1 listener(s), 2 route(s)\n"
        )
        self.assertEqual(self.errors.getvalue(), "")

    def test_faults(self) -> None:
        """All of them, in their order, and status 2."""
        name = self.write(
            "listeners:\n  front:\n    bind: 1\n    echoo:\ndrain: soon\n"
        )
        self.assertEqual(self.call("check", "-c", name), 2)
        lines = self.errors.getvalue().splitlines()
        self.assertGreaterEqual(len(lines), 3)
        self.assertEqual(lines, sorted(lines))
        self.assertEqual([one for one in lines if not one.startswith(name)], [])
        self.assertEqual(self.out.getvalue(), "")

    def test_settings_and_syntax(self) -> None:
        """They are those that run would have."""
        name = self.write(TEXT)
        self.assertEqual(self.call("check", "-c", name, "--set", "drain=x"), 2)
        self.assertEqual(self.call("check", "-c", name, "--syntax", "toml"), 2)

    def test_no_file(self) -> None:
        """It is named."""
        self.assertEqual(self.call("check", "-c", "no/such"), 2)
        self.assertEqual(
            self.errors.getvalue(),
            'no/such: "no/such" cannot be read: no such file or directory\n',
        )


class ConfigTests(CliCase):
    def test_origins(self) -> None:
        """Every value stands with the place that it is from, also a usual one."""
        name = self.write(TEXT.replace("${SECONDS}", "3s"))
        status = self.call("config", "-c", name, "--set", "log.level=warn")
        self.assertEqual((status, self.errors.getvalue()), (0, ""))
        text = self.out.getvalue()
        self.assertRegex(text, rf"\ndrain: 3s +# {name}:7:8\n")
        self.assertRegex(text, r"level: warn +# --set")
        self.assertRegex(text, r"half-close: 1m +# default\n")

    def test_is_a_configuration(self) -> None:
        """What it prints is in order and shows itself."""
        name = self.write(TEXT.replace("${SECONDS}", "3s"))
        self.call("config", "-c", name)
        shown = self.out.getvalue()
        self.call("config", "-c", self.write(shown))
        again = self.out.getvalue()
        strip = [line.partition("  # ")[0] for line in shown.splitlines()]
        self.assertEqual(
            [line.partition("  # ")[0] for line in again.splitlines()], strip
        )


class ConvertTests(CliCase):
    def test_portsplit(self) -> None:
        """A file of portsplit becomes one of ours."""
        status = self.call("convert", "--from", "portsplit", self.write(SPLIT))
        self.assertEqual((status, self.errors.getvalue()), (0, ""))
        name = self.write(self.out.getvalue())
        self.assertEqual(self.call("check", "-c", name), 0)
        self.assertIn("in order, 1 listener(s), 1 route(s)", self.out.getvalue())

    def test_faults(self) -> None:
        """They are those of the file that is converted."""
        name = self.write(SPLIT.replace("maxconn = 5", "maxconn = many"))
        self.assertEqual(self.call("convert", "--from", "portsplit", name), 2)
        self.assertRegex(self.errors.getvalue(), rf"\A{name}:2:\d+: ")
        self.assertEqual(self.out.getvalue(), "")
