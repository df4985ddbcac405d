"""Tests of how numbers, durations, sizes and truth are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config import quantities

READERS: list[Callable[[str], Any]] = [
    quantities.seconds,
    quantities.octets,
    quantities.integer,
    quantities.real,
    quantities.truth,
]


class SecondsTests(SynchronousTestCase):
    def test_units(self) -> None:
        """A bare number is seconds; units go from large to small."""
        for text, value in [
            ("500ms", 0.5),
            ("3s", 3.0),
            ("1m30s", 90.0),
            ("2h", 7200.0),
            ("1d", 86400.0),
            ("1d2h3m4s5ms", 93784.005),
            ("10", 10.0),
            ("0.25", 0.25),
            ("1.5m", 90.0),
            ("0", 0.0),
        ]:
            self.assertEqual(quantities.seconds(text), value, text)

    def test_refused(self) -> None:
        """Anything else says what a duration looks like."""
        for text in [
            "",
            "3 s",
            "3x",
            "s",
            "-1s",
            "1s1m",
            "1e3",
            "inf",
            "nan",
            "\u0663s",
        ]:
            error = self.assertRaises(ValueError, quantities.seconds, text)
            self.assertIn("500ms, 3s or 1m30s", str(error), text)

    def test_too_long(self) -> None:
        """Numbers that no timer holds are refused, however many digits they have."""
        for text in ["1001d", "9" * 400, "9" * 400 + "s"]:
            error = self.assertRaises(ValueError, quantities.seconds, text)
            self.assertIn("1000d", str(error))

    @given(
        st.integers(0, 86_400_000).map(lambda milliseconds: milliseconds / 1000)
        | st.floats(0, 86_400_000)
    )
    @example(0.009)
    @example(1e-10)
    @example(1.4022222222222222)
    def test_shown_is_read(self, value: float) -> None:
        """The same value, to the last digit."""
        shown = quantities.show_seconds(value)
        self.assertEqual(quantities.seconds(shown), value)

    def test_shown(self) -> None:
        for value, text in [
            (0.0, "0s"),
            (0.5, "500ms"),
            (1.5, "1.5s"),
            (60.0, "1m"),
            (90.0, "1m30s"),
            (90061.0, "1d1h1m1s"),
        ]:
            self.assertEqual(quantities.show_seconds(value), text)


class OctetsTests(SynchronousTestCase):
    def test_units(self) -> None:
        """A KiB is 1024 octets, a KB or kB 1000."""
        for text, value in [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("16KiB", 16384),
            ("16 KiB", 16384),
            ("64kB", 64000),
            ("10MB", 10_000_000),
            ("1.5KiB", 1536),
            ("2GiB", 2 << 30),
        ]:
            self.assertEqual(quantities.octets(text), value, text)

    def test_refused(self) -> None:
        for text, said in [
            ("", "16KiB or 10MB"),
            ("-1", "16KiB or 10MB"),
            ("1kib", 'did you mean "KiB"?'),
            ("1XB", "is not a size"),
            ("0.3B", "whole number"),
            ("9" * 400, "too large"),
            ("9000TiB", "too large"),
        ]:
            error = self.assertRaises(ValueError, quantities.octets, text)
            self.assertIn(said, str(error), text)

    @given(st.integers(0, 1 << 50))
    def test_shown_is_read(self, value: int) -> None:
        self.assertEqual(quantities.octets(quantities.show_octets(value)), value)


class NumberTests(SynchronousTestCase):
    def test_integers(self) -> None:
        self.assertEqual(quantities.integer("-12"), -12)
        for text in ["0600", "1_000", "1.0", "0x10", "+1", "", "\u0661", "9" * 5000]:
            self.assertRaises(ValueError, quantities.integer, text)

    def test_reals(self) -> None:
        self.assertEqual(quantities.real("2.5"), 2.5)
        self.assertEqual(quantities.real("1e2"), 100.0)
        for text in ["", ".5", "inf", "nan", "1e999", "one"]:
            self.assertRaises(ValueError, quantities.real, text)

    def test_truth(self) -> None:
        """Words that were truth in older YAML are refused, and told which is meant."""
        self.assertIs(quantities.truth("true"), True)
        self.assertIs(quantities.truth("false"), False)
        for text, meant in [("on", "true"), ("No", "false"), ("ture", "true")]:
            error = self.assertRaises(ValueError, quantities.truth, text)
            self.assertIn(f'did you mean "{meant}"?', str(error))
        self.assertEqual(quantities.show_truth(True), "true")


class NoiseTests(SynchronousTestCase):
    @given(st.text())
    def test_only_value_errors(self, text: str) -> None:
        for read in READERS:
            try:
                read(text)
            except ValueError as error:
                self.assertNotIn("\n", str(error))
