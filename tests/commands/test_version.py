"""Test portmux.commands.version."""

from __future__ import annotations

import platform

import attrs

import twisted
from portmux import __version__
from portmux.commands import version
from portmux.net.engine import best
from tests.test_cli import CliCase

COMMAND = version.__name__.rpartition(".")[2]


class VersionTests(CliCase):
    def test_all(self) -> None:
        """What somebody who helps will ask for, a line each."""
        self.assertEqual(self.call(COMMAND), 0)
        lines = self.out.getvalue().splitlines()
        self.assertEqual(lines[0], f"portmux {__version__}")
        self.assertTrue(lines[1].startswith(f"Python {platform.python_version()} ("))
        self.assertIn(f"Twisted {twisted.__version__}", lines)
        self.assertIn(f"attrs {attrs.__version__}", lines)
        self.assertTrue(lines[-1].startswith(f"engine: {best().value}, "))
        self.assertEqual(len(lines), len(version.LIBRARIES) + 4)

    def test_library_is_missing(self) -> None:
        """That is worth knowing too."""
        self.patch(version, "LIBRARIES", ("no-such-library-anywhere",))
        self.assertEqual(self.call(COMMAND), 0)
        self.assertIn("no-such-library-anywhere is not installed", self.out.getvalue())
