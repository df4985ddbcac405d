"""Test portmux.commands.config."""

from __future__ import annotations

from portmux.commands import config
from tests.test_cli import TEXT, CliCase

COMMAND = config.__name__.rpartition(".")[2]


class ConfigTests(CliCase):
    def test_origins(self) -> None:
        """Every value stands with the place that it is from, also a usual one."""
        name = self.write(TEXT.replace("${SECONDS}", "3s"))
        status = self.call(COMMAND, "-c", name, "--set", "log.level=warn")
        self.assertEqual((status, self.errors.getvalue()), (0, ""))
        text = self.out.getvalue()
        self.assertRegex(text, rf"\ndrain: 3s +# {name}:7:8\n")
        self.assertRegex(text, r"level: warn +# --set")
        self.assertRegex(text, r"half-close: 1m +# default\n")

    def test_is_a_configuration(self) -> None:
        """What it prints is in order and shows itself."""
        name = self.write(TEXT.replace("${SECONDS}", "3s"))
        self.call(COMMAND, "-c", name)
        shown = self.out.getvalue()
        self.call(COMMAND, "-c", self.write(shown))
        again = self.out.getvalue()
        strip = [line.partition("  # ")[0] for line in shown.splitlines()]
        self.assertEqual(
            [line.partition("  # ")[0] for line in again.splitlines()], strip
        )
