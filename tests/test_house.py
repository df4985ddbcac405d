"""Hold the rules of the house: what mirrors what, who imports what, how large."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "portmux"
TESTS = ROOT / "tests"
PLUGIN = ROOT / "twisted" / "plugins" / "portmux_plugin.py"

LIMIT = 400
"""Lines of a module; one that is longer holds two concepts."""

UNMIRRORED = {
    "portmux/__main__.py": "one call of portmux.cli; run by tests/integration",
}
"""Modules without a test file of their own, and why."""

WHOLE = {
    "tests/test_docs.py": "README.md, docs/ and conf/",
    "tests/test_engines.py": "tests/engines.py, which chooses what others test",
    "tests/test_pages.py": "docs/, page by page",
    "tests/test_house.py": "the repository",
    "tests/adversaries": "portmux and those who mean harm",
    "tests/bench": "bench/, which measures portmux from outside",
    "tests/fuzz": "fuzz/, which looks for what the tests do not",
    "tests/integration": "several rooms together, over loopback",
    "tests/manual": "manual/, which makes pages from the declarations",
    "tests/native": "native/, the relay in C",
    "tests/peers": "portmux and real programs",
}
"""Tests that mirror no module, and what they test in its place."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(top: Path) -> list[Path]:
    """@return: the Python files below C{top}, in order."""
    return sorted(top.rglob("*.py"))


def name(path: Path) -> str:
    """@return: the file as seen from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    """@return: the name by which a file is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def tree(path: Path) -> ast.Module:
    """@return: the syntax tree of a file."""
    return ast.parse(path.read_bytes(), str(path))


def imports(path: Path) -> Iterator[str]:
    """@return: each module, and each name taken from one, that a file imports."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name(path)}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tests_in(path: Path) -> list[Function]:
    """@return: the test methods of a file."""
    return [
        method
        for case in tree(path).body
        if isinstance(case, ast.ClassDef)
        for method in case.body
        if isinstance(method, Function) and method.name.startswith("test")
    ]


def modules() -> list[Path]:
    """@return: the files that hold code of ours and so need a test."""
    return [
        path
        for path in sources(PACKAGE)
        if path.name != "__init__.py" and name(path) not in UNMIRRORED
    ]


def mirrored_tests() -> list[Path]:
    """@return: the test files that stand beside a module."""
    return [
        path
        for path in sources(TESTS)
        if path.name.startswith("test_")
        and not {name(path), *(name(up) for up in path.parents if up > ROOT)}
        & set(WHOLE)
    ]


def test_of(module: Path) -> Path:
    """@return: where the tests of a module stand."""
    return TESTS / module.relative_to(PACKAGE).with_name(f"test_{module.name}")


def module_of(test: Path) -> Path:
    """@return: the module that a test file stands for."""
    return PACKAGE / test.relative_to(TESTS).with_name(test.name.removeprefix("test_"))


def refuse(faults: list[str]) -> None:
    """@raise AssertionError: there are faults; all of them are told."""
    if faults:
        raise AssertionError("\n".join(faults))


class MirrorTests(SynchronousTestCase):
    """portmux/a/b.py has tests/a/test_b.py, and the other way round."""

    def test_each_module_has_its_test(self) -> None:
        """No code without a test file that imports it and tests something."""
        faults = []
        for module in modules():
            test = test_of(module)
            if not test.exists():
                faults.append(f"{name(module)}: no {name(test)}")
            elif dotted(module) not in imports(test):
                faults.append(f"{name(test)}: does not import {dotted(module)}")
            elif not tests_in(test):
                faults.append(f"{name(test)}: has no test")
        refuse(faults)

    def test_each_test_has_its_module(self) -> None:
        """A test file that outlived its module is noticed."""
        orphans = [
            f"{name(test)}: no {name(module_of(test))}"
            for test in mirrored_tests()
            if not module_of(test).exists()
        ]
        refuse(orphans)

    def test_exceptions_are_still_needed(self) -> None:
        """The lists of exceptions name what exists."""
        listed = [*UNMIRRORED, *WHOLE]
        refuse([one for one in listed if not (ROOT / one).exists()])

    def test_trial_finds_every_test(self) -> None:
        """A folder that is no package is passed over in silence."""
        folders = {path.parent for path in [*sources(PACKAGE), *sources(TESTS)]}
        bare = [name(one) for one in folders if not (one / "__init__.py").exists()]
        refuse(bare)

    def test_no_test_is_a_coroutine(self) -> None:
        """Twisted 22.4 never runs an C{async def} test and counts it as passed."""
        faults = [
            f"{name(path)}:{node.lineno}: {node.name}"
            for path in sources(TESTS)
            for node in ast.walk(tree(path))
            if isinstance(node, ast.AsyncFunctionDef)
            and (node.name.startswith("test") or node.name in {"setUp", "tearDown"})
        ]
        refuse(faults)


class ModuleTests(SynchronousTestCase):
    """What holds for each file."""

    def test_size(self) -> None:
        """A module can be read in one sitting."""
        sizes = {path: path.read_bytes().count(b"\n") for path in sources(PACKAGE)}
        refuse([f"{name(one)}: {n} lines" for one, n in sizes.items() if n > LIMIT])

    def test_one_importer_of_the_reactor(self) -> None:
        """The reactor is an argument: only the plugin's module takes the real one."""
        allowed = {"portmux/tap.py"}
        rooms = ("tests/integration/", "tests/peers/", "tests/adversaries/")
        faults = [
            name(path)
            for path in [*sources(PACKAGE), *sources(TESTS)]
            if "twisted.internet.reactor" in imports(path)
            and name(path) not in allowed
            and not name(path).startswith(rooms)
        ]
        refuse(faults)

    def test_importing_installs_no_reactor(self) -> None:
        """twistd chooses the reactor after it has read our options."""
        names = [dotted(path) for path in modules()]
        script = (
            "import importlib, sys\n"
            "for name in sys.argv[1:]:\n"
            "    importlib.import_module(name)\n"
            "    if 'twisted.internet.reactor' in sys.modules:\n"
            "        sys.exit(name + ' imports the reactor')\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", script, *names],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        self.assertEqual((run.returncode, run.stderr), (0, ""))


class PluginTests(SynchronousTestCase):
    """twistd reads the plugin whenever it lists what it can run."""

    def test_imports_nothing_of_ours(self) -> None:
        """It costs no other user of twistd anything, and cannot fail for them."""
        self.assertEqual(
            set(imports(PLUGIN)),
            {
                "twisted.application.service",
                "twisted.application.service.ServiceMaker",
            },
        )

    def test_adds_to_a_package_that_is_not_ours(self) -> None:
        """With an C{__init__.py} beside it, it would hide Twisted."""
        self.assertEqual(sources(ROOT / "twisted"), [PLUGIN])


class WarningTests(SynchronousTestCase):
    """The filters of C{tests/__init__.py}."""

    def status(self, *place: str) -> int:
        """@return: how a process ends that warns at that place."""
        script = (
            "import sys, tests, warnings\n"
            "file, *module = sys.argv[1:]\n"
            "warnings.warn_explicit('old', UserWarning, file, 1, *module)\n"
        )
        command = [sys.executable, "-c", script, *place]
        return subprocess.run(command, cwd=ROOT, capture_output=True).returncode

    def test_our_warning_is_an_error(self) -> None:
        """It counts whether it is told of the module or, by trial, of the file."""
        self.assertEqual(self.status(f"{PACKAGE}/net/dial.py"), 1)
        self.assertEqual(self.status("?", "portmux.net.dial"), 1)

    def test_a_warning_from_elsewhere_is_not(self) -> None:
        """A library may warn on one of the versions that we run with."""
        self.assertEqual(self.status(f"{ROOT}/.venv/lib/portmux/other.py"), 0)
        self.assertEqual(self.status("?", "other.portmux"), 0)
