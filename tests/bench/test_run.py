"""The command line of the bench."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from bench.peers import BASE
from bench.report import Summary
from bench.run import draw, names, parse, processor


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
            ["--plot", "/nowhere/at/all"],
        ):
            with redirect_stderr(StringIO()) as said:
                self.assertRaises(SystemExit, parse, arguments)
            self.assertIn(arguments[0], said.getvalue())


class DrawTests(SynchronousTestCase):
    """The plot, where there is something to draw."""

    VERSIONS: ClassVar = {BASE: "HAProxy 2", "portmux": "portmux 1"}

    def draw(self, *peers: str) -> tuple[Path, str]:
        """@return: where the plot should be, and what was said."""
        summary = Summary({peer: {"short_rate": 10.0} for peer in peers}, {})
        path = Path(self.mktemp())
        with redirect_stderr(StringIO()) as said:
            draw(path, summary, self.VERSIONS)
        return path, said.getvalue()

    def test_versions_stand_below(self) -> None:
        """A picture says of what it is."""
        path, said = self.draw("direct", BASE, "portmux")
        self.assertIn("HAProxy 2; portmux 1", path.read_text())
        self.assertEqual(said, "")

    def test_nothing_to_compare(self) -> None:
        """Measuring one proxy alone is no fault, but gives no plot."""
        for peers in (["portmux"], [BASE], []):
            path, said = self.draw(*peers)
            self.assertFalse(path.exists())
            self.assertEqual(said.count("\n"), 1)
            self.assertIn(f"nothing to compare with {BASE}", said)


class ProcessorTests(SynchronousTestCase):
    """Which machine the figures are from."""

    def test_name(self) -> None:
        """The first core's name stands for all."""
        text = "processor\t: 0\nmodel name\t: Some CPU\n\nmodel name\t: Other\n"
        self.assertEqual(processor(text), "Some CPU")

    def test_no_name(self) -> None:
        """Where Linux does not know it, the architecture has to do."""
        self.assertTrue(processor("processor\t: 0\n"))
