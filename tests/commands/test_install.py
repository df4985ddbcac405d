"""Test portmux.commands.install below a folder; .ci/debian has systemd obey it."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import twisted.plugins
from portmux.app.units import NAME, quoted, service
from portmux.commands.install import unit_path
from tests.test_cli import CliCase

GOOD = 'listeners: {front: {bind: "127.0.0.1:0", echo: }}\n'


class InstallCase(CliCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = Path(self.mktemp()).absolute()
        self.root.mkdir()
        self.unit = unit_path(self.root)
        self.file = self.write(GOOD)

    def install(self, *words: str) -> int:
        """@return: the status of an installation below a folder."""
        return self.call("install", "--root", str(self.root), *words)

    def files(self) -> list[Path]:
        """@return: what there is below the folder."""
        return [path for path in self.root.rglob("*") if not path.is_dir()]


class InstallTests(InstallCase):
    def expected(self, *words: str, user: str | None = None) -> str:
        """@return: the unit that runs with these arguments."""
        command = (sys.executable, "-m", "portmux", "run", *words)
        return service(command, os.getcwd(), user)

    def test_writes(self) -> None:
        """A unit that runs what was asked for; what is left to do is said."""
        words = ("-c", self.file, "--set", "drain=5s")
        self.assertEqual(self.install("--user", "porter", "--", *words), 0)
        self.assertEqual(
            self.unit.read_text(), self.expected(*words, user="porter"), self.files()
        )
        self.assertEqual(stat.S_IMODE(self.unit.stat().st_mode), 0o644)
        self.assertEqual(self.files(), [self.unit])
        self.assertEqual(
            self.out.getvalue(),
            f"{self.unit}: written\n"
            f"then: systemctl daemon-reload && systemctl enable --now {NAME}\n",
        )

    def test_cache_of_plugins(self) -> None:
        """It is there for a service that could not write it."""
        folder = self.root / "plugins"
        folder.mkdir()
        ours = Path(__file__).parents[2] / "twisted" / "plugins" / "portmux_plugin.py"
        (folder / "portmux_plugin.py").write_text(ours.read_text())
        self.patch(twisted.plugins, "__path__", [str(folder)])
        self.addCleanup(sys.modules.pop, "twisted.plugins.portmux_plugin", None)
        sys.modules.pop("twisted.plugins.portmux_plugin", None)
        self.assertEqual(self.install("--", "-c", self.file), 0)
        self.assertTrue((folder / "dropin.cache").exists())

    def test_no_plugin(self) -> None:
        """A service that could not start is not installed."""
        self.patch(twisted.plugins, "__path__", [])
        self.assertEqual(self.install("--", "-c", self.file), 2)
        self.assertIn("does not find the plugin", self.errors.getvalue())
        self.assertEqual(self.files(), [])

    def test_dry_run(self) -> None:
        """The unit is printed, and nothing is written."""
        words = ("--listen", "127.0.0.1:0", "ssh=127.0.0.1:22")
        self.assertEqual(self.install("--dry-run", "--", *words), 0)
        self.assertEqual(self.out.getvalue(), self.expected(*words))
        command = " ".join(map(quoted, (sys.executable, "-m", "portmux", "run")))
        self.assertIn(f"\nExecStart={command} {' '.join(words)}\n", self.out.getvalue())
        self.assertEqual(self.files(), [])

    def test_again(self) -> None:
        """Another installation takes the place of ours."""
        self.assertEqual(self.install("--", "-c", self.file), 0)
        words = ("-c", self.file, "--set", "drain=5s")
        self.assertEqual(self.install("--", *words), 0)
        self.assertEqual(self.unit.read_text(), self.expected(*words))

    def test_another_unit(self) -> None:
        """One that somebody else has written stays as it is."""
        self.unit.parent.mkdir(parents=True)
        self.unit.write_text("[Service]\n")
        self.assertEqual(self.install("--", "-c", self.file), 2)
        self.assertRegex(self.errors.getvalue(), r"\A.*portmux\.service: not a unit")
        self.assertEqual(self.unit.read_text(), "[Service]\n")

    def test_packaged(self) -> None:
        """A package's unit is not hidden by one of ours."""
        packaged = self.root / "lib/systemd/system" / NAME
        packaged.parent.mkdir(parents=True)
        packaged.touch()
        self.assertEqual(self.install("--", "-c", self.file), 2)
        self.assertIn(f"{packaged}: a package has a unit", self.errors.getvalue())
        self.assertEqual(self.files(), [packaged])

    def test_faults(self) -> None:
        """What cannot run is not installed."""
        self.write("listeners: {front: {bind: nowhere}}\n")
        self.assertEqual(self.install("--", "-c", self.file), 2)
        self.assertIn(f"{self.file}:1:", self.errors.getvalue())
        self.assertEqual(self.install("--", "--bogus"), 2)
        self.assertEqual(self.files(), [])

    def test_variables_of_the_shell(self) -> None:
        """The service will not have them, so they do not count."""
        self.patch(os, "environ", {**os.environ, "SECONDS": "5"})
        self.write(GOOD + "drain: ${SECONDS}\n")
        self.assertEqual(self.install("--", "-c", self.file), 2)
        self.assertIn("SECONDS", self.errors.getvalue())

    def test_no_such_user(self) -> None:
        """It is said before systemd says it."""
        words = ("--dry-run", "--user", "no-such-user", "--", "-c", self.file)
        self.assertEqual(self.call("install", *words), 2)
        self.assertEqual(
            self.errors.getvalue(),
            "--user no-such-user: no such user; adduser --system no-such-user\n",
        )

    def test_cannot_write(self) -> None:
        """One line names the place."""
        (self.root / "etc").touch()
        self.assertEqual(self.install("--", "-c", self.file), 1)
        self.assertRegex(self.errors.getvalue(), r"\A/.*: [a-z ]*directory\n\Z")
