"""Tests for L{portmux.core.match.always}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Opens, Verdict
from portmux.core.match import always
from portmux.core.registry import Registry
from portmux.testing import head_of, verdicts

EXAMPLES = (always.Always(),)


class AlwaysTests(SynchronousTestCase):
    def test_before_any_byte(self) -> None:
        self.assertEqual(verdicts(always.Always(), b"ab"), [Verdict.YES] * 3)
        self.assertNotIsInstance(always.Always(), Opens)

    def test_why(self) -> None:
        why = always.Always().why(head_of())
        self.assertEqual(why.text, "every connection matches")

    def test_registered(self) -> None:
        registry = Registry()
        always.register(registry)
        self.assertEqual(registry.matchers, {"always": always.Always})
