"""Tests for L{portmux.core.token}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.token import bearer, is_token


class TokenTests(SynchronousTestCase):
    def test_is_token(self) -> None:
        self.assertTrue(is_token("a", b"a"))
        for said in ("", "A", "aa", "\udc80"):
            self.assertFalse(is_token(said, b"a"))

    def test_bearer(self) -> None:
        for header, token in [
            ("Bearer a", "a"),
            ("bearer  a ", "a"),
            ("Basic a", ""),
            ("Bearer", ""),
            ("", ""),
        ]:
            self.assertEqual(bearer(header), token, header)
