"""Tests of what the model asks of values."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.checks import PATH, is_private, like, positive, sized, some
from portmux.core.address import Host, Inherited, Unix


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

    def test_private(self) -> None:
        """Only what no other machine can reach, which is for sure."""
        self.assertTrue(is_private(Unix("/run/metrics")))
        for host in ("127.0.0.1", "127.1.2.3", "::1"):
            self.assertTrue(is_private(Host(host, 9997)), host)
        for host in ("*", "0.0.0.0", "::", "192.0.2.1", "fe80::1%eth0", "localhost"):
            self.assertFalse(is_private(Host(host, 9997)), host)
        self.assertFalse(is_private(Inherited("metrics")))
