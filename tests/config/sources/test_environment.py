"""Tests of settings in environment variables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.sources.environment import PREFIX, settings
from portmux.config.tree import Origin, Scalar, Style
from tests.config.kinds import told


class EnvironmentTests(SynchronousTestCase):
    def test_paths_and_values(self) -> None:
        faults = Faults()
        environ = {
            "PORTMUX__LOG__LEVEL": "warn",
            "PORTMUX__DRAIN": "'3s'",
            "PORTMUX_REMOTE_ADDR": "x",
            "PATH": "x",
        }
        drain = Origin("environment PORTMUX__DRAIN")
        level = Origin("environment PORTMUX__LOG__LEVEL")
        self.assertEqual(
            list(settings(environ, faults)),
            [
                (("DRAIN",), Scalar("3s", drain, Style.QUOTED)),
                (("LOG", "LEVEL"), Scalar("warn", level)),
            ],
        )
        self.assertEqual(told(faults), [])

    def test_order(self) -> None:
        """What holds others comes first, and 10 behind 9."""
        names = [f"A__{n}" for n in range(11)] + ["A", "A__9__B"]
        environ = {PREFIX + name: "x" for name in names}
        found = ["__".join(path) for path, _ in settings(environ, Faults())]
        expected = ["A", *(f"A__{n}" for n in range(10)), "A__9__B", "A__10"]
        self.assertEqual(found, expected)

    def test_faults(self) -> None:
        """Each variable is judged by itself."""
        faults = Faults()
        environ = {"PORTMUX__": "x", "PORTMUX__A____B": "x", "PORTMUX__C": "*:1"}
        environ["PORTMUX__" + "D__" * 5000 + "D"] = "1"
        self.assertEqual(list(settings(environ, faults)), [])
        self.assertEqual(
            [line.split(": ")[0] for line in told(faults)],
            [f"environment {name}" for name in environ],
        )

    @given(st.dictionaries(st.text().map(PREFIX.__add__), st.text()))
    def test_noise(self, environ: dict[str, str]) -> None:
        faults = Faults()
        list(settings(environ, faults))
        self.assertLessEqual(len(told(faults)), 2 * len(environ))
