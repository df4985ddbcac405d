"""The command line of the bench."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.run import names, parse, processor


class OptionTests(SynchronousTestCase):
    """What may be asked for."""

    def test_lists(self) -> None:
        """Names are separated by commas; modes are names too."""
        options = parse(["--only", "direct,portmux", "--modes", "short", "--json", "f"])
        self.assertEqual(options.only, ["direct", "portmux"])
        self.assertEqual(options.modes, ["short"])
        self.assertEqual(options.json, Path("f"))

    def test_unknown_name(self) -> None:
        """The fault names what is allowed."""
        fault = self.assertRaises(ArgumentTypeError, names, ["up", "down"], "up,dwon")
        self.assertEqual(str(fault), "'dwon' is not one of up, down")

    def test_bounds(self) -> None:
        """Neither hours by a slip of the finger, nor figures that end nowhere."""
        for arguments in (
            ["--rounds", "0"],
            ["--rounds", "101"],
            ["--seconds", "0.01"],
            ["--seconds", "11"],
            ["--seconds", "nan"],
            ["--json", "/nowhere/at/all"],
        ):
            with redirect_stderr(StringIO()) as said:
                self.assertRaises(SystemExit, parse, arguments)
            self.assertIn(arguments[0], said.getvalue())


class ProcessorTests(SynchronousTestCase):
    """Which machine the figures are from."""

    def test_name(self) -> None:
        """The first core's name stands for all."""
        text = "processor\t: 0\nmodel name\t: Some CPU\n\nmodel name\t: Other\n"
        self.assertEqual(processor(text), "Some CPU")

    def test_no_name(self) -> None:
        """Where Linux does not know it, the architecture has to do."""
        self.assertTrue(processor("processor\t: 0\n"))
