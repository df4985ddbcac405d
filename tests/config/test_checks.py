"""Tests of what the model asks of values."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.checks import PATH, like, positive, sized, some


class CheckTests(SynchronousTestCase):
    def test_positive(self) -> None:
        positive(0.001)
        positive(None)
        for number in (0, -1.5):
            self.assertRaises(ValueError, positive, number)

    def test_sized(self) -> None:
        """Sizes are told as they are written."""
        check = sized(1, 1 << 20)
        check(1)
        check(1 << 20)
        error = self.assertRaises(ValueError, check, 2 << 20)
        self.assertEqual(str(error), "2MiB is not allowed, 1 to 1MiB is")

    def test_like(self) -> None:
        """All of the text counts."""
        check = like("[ab]+", "a or b")
        check("abba")
        check(None)
        for text in ("abc", "", "a\n"):
            error = self.assertRaises(ValueError, check, text)
            self.assertIn("is not a or b", str(error))

    def test_some(self) -> None:
        some("one")((1,))
        self.assertRaises(ValueError, some("one"), ())

    def test_path(self) -> None:
        PATH("/a\nb")
        self.assertRaises(ValueError, PATH, "")
