"""Tests for L{portmux.core.regex.nodes}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.regex.nodes import ALL, both_cases, octets


class SetTests(SynchronousTestCase):
    def test_all(self) -> None:
        self.assertEqual(octets(bytes(range(256))), ALL)

    @given(st.binary())
    def test_both_cases(self, members: bytes) -> None:
        """ASCII letters get their other case, all else stays."""
        expected = octets(members.lower() + members.upper())
        self.assertEqual(both_cases(octets(members)), expected)
