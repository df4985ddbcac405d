"""The command line of the fuzzer, and what it tells."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fuzz.run import TARGETS, parse, result

OUTPUT = """\
#2\tINITED cov: 80 ft: 90 corp: 2/30b exec/s: 0 rss: 50Mb
#99\tNEW    cov: 84 ft: 95 corp: 3/34b lim: 4 exec/s: 9 rss: 50Mb L: 4/4 MS: 1 A-
stat::number_of_executed_units: 1234
"""


class OptionTests(SynchronousTestCase):
    def test_options(self) -> None:
        options = parse(["--seconds", "5", "--runs", "9", "ssh", "json"])
        self.assertEqual((options.seconds, options.runs), (5, 9))
        self.assertEqual(options.targets, ["ssh", "json"])
        self.assertEqual(parse(["--input", "f", "ssh"]).input, Path("f"))

    def test_wrong(self) -> None:
        """Said before anything runs; the targets are named."""
        for arguments in (
            ["sh"],
            ["--seconds", "0"],
            ["--runs", "-1"],
            ["--input", "f"],
            ["--jobs", "x"],
        ):
            with redirect_stderr(StringIO()) as said:
                self.assertRaises(SystemExit, parse, arguments)
            self.assertIn("error: ", said.getvalue())
        with redirect_stderr(StringIO()) as said:
            self.assertRaises(SystemExit, parse, ["sh"])
        self.assertIn(f"sh is not one of {', '.join(TARGETS)}", said.getvalue())


class ResultTests(SynchronousTestCase):
    def test_figures(self) -> None:
        found = result("ssh", 0, OUTPUT)
        self.assertEqual((found.runs, found.features, found.kept), (1234, 95, 3))
        self.assertEqual(
            str(found), "ssh          ok         1234 inputs, 95 features, 3 kept"
        )

    def test_fault(self) -> None:
        """Without figures, too: it may have ended before there were any."""
        self.assertIn("FAULT         0 inputs", str(result("ssh", 77, "")))
