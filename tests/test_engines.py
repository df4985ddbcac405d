"""Test tests.engines."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.net.engine import Kind
from tests.engines import chosen

ALL = [Kind.TWISTED, Kind.LANE, Kind.NATIVE]


class ChosenTests(SynchronousTestCase):
    def test_there(self) -> None:
        """The one that is wanted, else the best."""
        self.assertIs(chosen(None, ALL), Kind.NATIVE)
        self.assertIs(chosen("", ALL[:2]), Kind.LANE)
        self.assertIs(chosen("twisted", ALL), Kind.TWISTED)

    def test_not_there(self) -> None:
        """It is told at once, and not by tests that wait for it."""
        wrong = self.assertRaises(ValueError, chosen, "native", ALL[:2])
        self.assertEqual(
            str(wrong),
            "PORTMUX_TEST_ENGINE=native cannot be had here, twisted, lane can;"
            " python setup.py build_ext --inplace makes it",
        )
        wrong = self.assertRaises(ValueError, chosen, "front", ALL)
        self.assertIn("twisted, lane, native can", str(wrong))
