"""Build the wheel, install it into an empty folder, and call what it brings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux import __version__

ROOT = Path(__file__).parent.parent.parent
RECIPE = ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE")
PACKAGE = ROOT / "portmux"
PLUGIN = "twisted/plugins/portmux_plugin.py"

EXTENSION = "portmux/_relay.abi3.so"
PURE = "-py3-none-any.whl"
"""How the wheel's name ends without it."""

TWISTD = "from twisted.scripts.twistd import run; run()"
"""What C{twistd} is; Debian gives it another name."""


def call(*command: str | Path, cwd: Path, path: Path | None = None) -> str:
    """
    Run a command to its end.

    @param path: where Python looks for packages first.
    @return: what it wrote, both streams.
    @raise AssertionError: its status is not 0.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    run = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if run.returncode:
        raise AssertionError(f"{command}: status {run.returncode}\n{run.stdout}")
    return run.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    """Run pip without network."""
    call(sys.executable, "-m", "pip", "--isolated", *arguments, cwd=cwd)


@attrs.frozen
class Installation:
    """
    The wheel, built once for all tests.

    @ivar top: holds everything, and is nobody's package folder.
    @ivar wheel: the built file.
    @ivar site: where it is installed, alone; the libraries are our own.
    """

    top: Path
    wheel: Path
    site: Path


def build(source: Path, into: Path) -> Path:
    """@return: the wheel of these sources."""
    options = ("wheel", "--no-deps", "--no-build-isolation", "--no-index")
    pip(*options, "--wheel-dir", into, source, cwd=into)
    (wheel,) = into.glob("*.whl")
    return wheel


def names(wheel: Path) -> set[str]:
    """@return: the files of a wheel, but for those about it."""
    with ZipFile(wheel) as archive:
        return {n for n in archive.namelist() if ".dist-info/" not in n}


def modules() -> set[str]:
    """@return: what every wheel holds."""
    ours = {p.relative_to(ROOT).as_posix() for p in PACKAGE.rglob("*.py")}
    return ours | {PLUGIN, "portmux/py.typed", "portmux/_relay.pyi"}


@cache
def installation() -> Installation:
    """@return: the wheel of this checkout, below trial's working directory."""
    top = Path("wheel").absolute()
    source, site = top / "source", top / "site"
    source.mkdir(parents=True)
    for name in RECIPE:
        shutil.copy(ROOT / name, source)
    for name in ("portmux", "native", "twisted", "tests"):
        shutil.copytree(ROOT / name, source / name)
    (source / "twisted/plugins/dropin.cache").write_bytes(b"")
    wheel = build(source, top)
    pip("install", "--no-deps", "--no-index", "--target", site, wheel, cwd=top)
    return Installation(top, wheel, site)


class WheelTests(SynchronousTestCase):
    """What C{pip install portmux} gives."""

    def setUp(self) -> None:
        self.made = installation()

    def python(self, *arguments: str, path: Path | None = None) -> str:
        """@return: what Python wrote, called far from the checkout."""
        return call(sys.executable, *arguments, cwd=self.made.top, path=path)

    def test_holds_exactly_our_modules_and_the_plugin(self) -> None:
        """No tests, no plugin cache, no C{twisted/__init__.py} that hides Twisted."""
        wheel = self.made.wheel
        extension = set() if wheel.name.endswith(PURE) else {EXTENSION}
        self.assertEqual(names(wheel), modules() | extension)

    def test_pure(self) -> None:
        """The extension can be left out; the wheel is then for every system."""
        self.patch(os, "environ", {**os.environ, "PORTMUX_PURE": "1"})
        into = self.made.top / "pure"
        into.mkdir()
        wheel = build(self.made.top / "source", into)
        self.assertTrue(wheel.name.endswith(PURE), wheel.name)
        self.assertEqual(names(wheel), modules())

    def test_no_compiler(self) -> None:
        """Without one, the same comes about by itself."""
        self.patch(os, "environ", {**os.environ, "CC": "/bin/false"})
        source, into = self.made.top / "bare", self.made.top / "uncompiled"
        shutil.copytree(
            self.made.top / "source", source, ignore=shutil.ignore_patterns("build")
        )
        into.mkdir()
        wheel = build(source, into)
        self.assertTrue(wheel.name.endswith(PURE), wheel.name)
        self.assertEqual(names(wheel), modules())

    def test_twistd_looks_where_the_plugin_is(self) -> None:
        """The wheel's folder joins Twisted's own, whatever else is installed."""
        ask = "import twisted.plugins; print(*twisted.plugins.__path__, sep='\\n')"
        folders = self.python("-c", ask, path=self.made.site).splitlines()
        self.assertIn(str((self.made.site / PLUGIN).parent), folders)

    def test_twistd_knows_our_options(self) -> None:
        """C{twistd portmux} loads the module that the plugin names."""
        told = self.python("-c", TWISTD, "portmux", "--help", path=self.made.site)
        self.assertIn("--config", told)

    def test_console_script(self) -> None:
        """C{portmux} and C{python -m portmux} are the same program."""
        script = str(self.made.site / "bin" / "portmux")
        for program in ([script], ["-m", "portmux"]):
            told = self.python(*program, "--version", path=self.made.site)
            self.assertIn(__version__, told)


class CheckoutTests(SynchronousTestCase):
    """What a developer calls in the checkout, installed or not."""

    def test_twistd_finds_the_plugin(self) -> None:
        """Python's path is enough."""
        command = (sys.executable, "-c", TWISTD, "portmux", "--help")
        self.assertIn("--config", call(*command, cwd=ROOT, path=ROOT))

    def test_console_module(self) -> None:
        """C{python -m portmux} runs where it stands."""
        told = call(sys.executable, "-m", "portmux", "--version", cwd=ROOT)
        self.assertIn(__version__, told)
