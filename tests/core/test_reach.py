"""Tests for L{portmux.core.reach}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.reach import PLAIN, Reach, Tls


class ReachTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """Nothing is to be done beyond connecting, unless it is said."""
        self.assertEqual((PLAIN.tls, PLAIN.resolve), (None, None))

    def test_equal_ones_share(self) -> None:
        """They are keys: what is made of one is made once."""
        self.assertEqual(len({Reach(Tls()), Reach(Tls()), Reach(Tls(name="a"))}), 2)
        self.assertEqual(Tls().minimum, "TLSv1.2")
