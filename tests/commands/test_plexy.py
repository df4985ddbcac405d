"""Test portmux.commands.plexy; the program runs in tests/integration."""

from __future__ import annotations

import contextlib
import io

from twisted.trial.unittest import SynchronousTestCase

from portmux import __version__, cli
from portmux.commands.plexy import given
from portmux.config.load import load


class PlexyTests(SynchronousTestCase):
    def run_(self, *words: str) -> tuple[int, str, str]:
        """@return: status, and what was printed where."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            ended = self.assertRaises(SystemExit, cli.main, ["plexy", *words])
        assert isinstance(ended.code, int)
        return ended.code, out.getvalue(), err.getvalue()

    def test_words(self) -> None:
        """Every option that plexy has."""
        words = "-c 127.0.0.1:1 -r 127.0.0.1:2 --prometheus-socket 127.0.0.1:3"
        words += " --copy-buffer-size 1024 --remote-timeout 0.5 --remote-retries 7"
        words += " --remote-errors 2 --remote-dead-check-interval 1.5"
        words += " --ca-bundle ca.pem 3000=3001 4000=x:1[errors=9]"
        config = load(given(words.split())).config
        self.assertEqual(config.tunnels.retries, 7)
        self.assertEqual(
            list(map(str, config.tunnels.open)),
            ["127.0.0.1:3000=127.0.0.1:3001", "127.0.0.1:4000=x:1[errors=9]"],
        )

    def test_wrong_tunnel(self) -> None:
        """Status 1; nothing is started."""
        status, _, err = self.run_("1=2", "3000=")
        self.assertEqual(status, 1)
        self.assertIn("Invalid initial tunnels specification: 3000=", err)

    def test_wrong_words(self) -> None:
        for words in (["-c", "x"], ["--remote-retries", "-1"], ["--nosuch"]):
            status, _, err = self.run_(*words)
            self.assertEqual(status, 2, err)

    def test_version(self) -> None:
        """Ours, for it is not plexy."""
        for word in ("-V", "--version"):
            self.assertEqual(self.run_(word), (0, f"portmux {__version__}\n", ""))

    def test_help_tunnel(self) -> None:
        status, out, _ = self.run_("--help-tunnel")
        self.assertEqual(status, 0)
        for option in ("strategy", "retries", "timeout", "errors", "check-interval"):
            self.assertIn(f"{option}=", out)
