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

    def test_tcp_multiplexer(self) -> None:
        """What it is called with becomes a file."""
        words = ("server", "-p", "modbus", "-t", "10.0.0.9:502", "-l", "5020", "-v")
        status = self.call(COMMAND, "--from", "tcp-multiplexer", *words)
        self.assertEqual((status, self.errors.getvalue()), (0, ""))
        self.assertIn('to: "10.0.0.9:502"\n', self.out.getvalue())
        name = self.write(self.out.getvalue())
        self.assertEqual(self.call("check", "-c", name), 0)
        self.assertIn("in order, 1 listener(s)", self.out.getvalue())

    def test_one_file(self) -> None:
        """portsplit has neither more nor less."""
        for words in ((), ("a", "b")):
            self.assertEqual(self.call(COMMAND, "--from", "portsplit", *words), 2)
            text = f"there are {len(words)} files, one is needed\n"
            self.assertEqual(self.errors.getvalue(), text)

    def test_faults(self) -> None:
        """They are those of the file that is converted."""
        name = self.write(SPLIT.replace("maxconn = 5", "maxconn = many"))
        self.assertEqual(self.call(COMMAND, "--from", "portsplit", name), 2)
        self.assertRegex(self.errors.getvalue(), rf"\A{name}:2:\d+: ")
        self.assertEqual(self.out.getvalue(), "")
