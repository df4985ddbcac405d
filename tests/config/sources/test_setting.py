"""Tests of C{--set}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.sources.setting import settings
from portmux.config.tree import Origin, Path, Scalar
from tests.config.kinds import told


class SettingTests(SynchronousTestCase):
    def one(self, setting: str) -> tuple[Path, object]:
        faults = Faults()
        ((path, value),) = settings([setting], faults)
        self.assertEqual(told(faults), [])
        return path, value

    def test_paths(self) -> None:
        for setting, path in [
            ("drain=3s", ("drain",)),
            ("a.b-c.0.d=3s", ("a", "b-c", "0", "d")),
            ('a."b.c".d=3s', ("a", "b.c", "d")),
        ]:
            origin = Origin(f"--set {setting.removesuffix('=3s')}")
            self.assertEqual(self.one(setting), (path, Scalar("3s", origin)))

    def test_values(self) -> None:
        """All behind the first equals sign is YAML."""
        for setting, value in [("a=", ""), ("a=b=c", "b=c"), ("a= x ", "x")]:
            found = self.one(setting)[1]
            assert isinstance(found, Scalar)
            self.assertEqual(found.text, value)

    def test_in_given_order(self) -> None:
        found = [path for path, _ in settings(["b=1", "a=2", "b=3"], Faults())]
        self.assertEqual(found, [("b",), ("a",), ("b",)])

    def test_faults(self) -> None:
        faults = Faults()
        given = ["drain", "=3", "a..b=1", ".a=1", "a.=1", 'a"b"=1', "a=[", "a=*:1"]
        given.append("a" + ".a" * 5000 + "=1")
        self.assertEqual(list(settings(given, faults)), [])
        self.assertEqual(len(told(faults)), len(given))
        first = told(faults)[0]
        self.assertTrue(first.startswith('--set: "drain" is not PATH=VALUE, such as'))
        self.assertIn("such as drain=30s", first)

    def test_path_is_told_once(self) -> None:
        """The option has it already; what lies below it is added."""
        faults = Faults()
        ((path, node),) = settings(["log.access={a: b}"], faults)
        faults.add(node.origin, "is wrong", path)
        faults.add(node.origin, "is wrong too", (*path, "a"))
        self.assertEqual(
            told(faults),
            ["--set log.access: is wrong", "--set log.access: a: is wrong too"],
        )

    @given(st.lists(st.text()))
    def test_noise(self, given: list[str]) -> None:
        faults = Faults()
        found = list(settings(given, faults))
        self.assertLessEqual(len(found), len(given))
        told(faults)
