"""Test portmux.commands.convert."""

from __future__ import annotations

from portmux.commands import convert
from tests.test_cli import SPLIT, CliCase

COMMAND = convert.__name__.rpartition(".")[2]


class ConvertTests(CliCase):
    def test_portsplit(self) -> None:
        """A file of portsplit becomes one of ours."""
        status = self.call(COMMAND, "--from", "portsplit", self.write(SPLIT))
        self.assertEqual((status, self.errors.getvalue()), (0, ""))
        name = self.write(self.out.getvalue())
        self.assertEqual(self.call("check", "-c", name), 0)
        self.assertIn("in order, 1 listener(s), 1 route(s)", self.out.getvalue())

    def test_faults(self) -> None:
        """They are those of the file that is converted."""
        name = self.write(SPLIT.replace("maxconn = 5", "maxconn = many"))
        self.assertEqual(self.call(COMMAND, "--from", "portsplit", name), 2)
        self.assertRegex(self.errors.getvalue(), rf"\A{name}:2:\d+: ")
        self.assertEqual(self.out.getvalue(), "")
