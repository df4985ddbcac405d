"""Test portmux.commands.uninstall below a folder; see test_install.py."""

from __future__ import annotations

from portmux.commands import uninstall
from tests.commands.test_install import InstallCase

COMMAND = uninstall.__name__.rpartition(".")[2]


class UninstallTests(InstallCase):
    def uninstall(self, *words: str) -> int:
        """@return: the status."""
        return self.call(COMMAND, "--root", str(self.root), *words)

    def test_removes(self) -> None:
        """What install has written is gone, and nothing else."""
        other = self.root / "etc/systemd/system/other.service"
        self.assertEqual(self.install("--", "-c", self.file), 0)
        other.touch()
        self.assertEqual(self.uninstall(), 0)
        self.assertEqual(self.out.getvalue(), f"{self.unit}: removed\n")
        self.assertEqual(self.files(), [other])

    def test_dry_run(self) -> None:
        """It says what it would do."""
        self.assertEqual(self.install("--", "-c", self.file), 0)
        self.assertEqual(self.uninstall("--dry-run"), 0)
        self.assertEqual(self.out.getvalue(), f"{self.unit}: would be removed\n")
        self.assertEqual(self.files(), [self.unit])

    def test_nothing_there(self) -> None:
        """That is what was wanted."""
        self.assertEqual(self.uninstall(), 0)
        self.assertIn("nothing to remove", self.out.getvalue())

    def test_another_unit(self) -> None:
        """One that somebody else has written stays."""
        self.unit.parent.mkdir(parents=True)
        self.unit.write_text("[Service]\n")
        self.assertEqual(self.uninstall(), 2)
        self.assertEqual(self.files(), [self.unit])
