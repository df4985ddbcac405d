"""Test portmux.cli; what run and portsplit start is tested in tests/integration."""

from __future__ import annotations

import io
import os
import subprocess
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
        """Each says what is wrong, and how it is used or where to look; status 2."""
        for words, said in (
            (["run", "--bogus"], r'portmux run: there is no option "--bogus"'),
            (["run", "--listne=:1"], r'portmux run: .*"--listne"; .* "--listen"\?'),
            (["check", "--config"], r"portmux check: .*-c/--config: .*"),
            (
                ["check", "extra", "more"],
                r'portmux check: unexpected argument "extra"; .* by -c FILE',
            ),
            (["version", "extra"], r'portmux version: unexpected argument "extra"'),
            (["check", "--syntax", "ini"], r'portmux check: .*"ini".* toml, .*'),
            (["ctl", "--socket", "x", "top"], r'portmux ctl: there .*"--socket".*'),
            (["ctl", "--json", "tpo"], r'portmux ctl: .*"tpo" is not.* "top"\?'),
            (["convert", "x"], r"portmux convert: .*--from"),
            (["portsplit"], r"portmux portsplit: .*FILE"),
        ):
            self.assertEqual(self.call(*words), 2, words)
            self.assertRegex(
                self.errors.getvalue(),
                rf"\A{said}\nusage: (see )?portmux {words[0]} .+\n\Z",
            )
            self.assertEqual(self.out.getvalue(), "")

    def test_nobody_reads(self) -> None:
        """As behind head: it ends, and has nothing to say about it."""
        reader, writer = os.pipe()
        os.close(reader)
        try:
            ended = subprocess.run(
                (sys.executable, "-m", "portmux", "schema"),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=writer,
                stderr=subprocess.PIPE,
                check=False,
            )
        finally:
            os.close(writer)
        self.assertEqual((ended.returncode, ended.stderr), (1, b""))

    def test_no_command(self) -> None:
        """Which there are, and what to try first."""
        self.assertEqual(self.call(), 2)
        first, second = self.errors.getvalue().splitlines()
        self.assertRegex(
            first, r"\Aportmux: a command is needed; there are: check, .*run"
        )
        self.assertIn("portmux run --listen :8443 ssh=127.0.0.1:22", second)

    def test_unknown_command(self) -> None:
        """The one that was probably meant is named."""
        self.assertEqual(self.call("chek"), 2)
        first, second = self.errors.getvalue().splitlines()
        self.assertRegex(
            first,
            r'\Aportmux: there is no command "chek"; there are: check, .*, version;'
            r' did you mean "check"\?\Z',
        )
        self.assertEqual(second, "portmux --help tells what each does")
        self.assertEqual(self.call("help", "check"), 2)
        self.assertEqual(self.call("-c", "a.conf"), 2)
        self.assertIn('portmux: "-c" is no command; there', self.errors.getvalue())
        self.assertEqual(self.call("--verison"), 2)
        self.assertIn('did you mean "--version"?', self.errors.getvalue())
        self.assertEqual(self.call("qqq", "--help"), 2)
        self.assertNotIn("did you mean", self.errors.getvalue())
