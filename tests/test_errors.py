"""Tests for L{portmux.errors}."""

from __future__ import annotations

import inspect

from twisted.trial.unittest import SynchronousTestCase

from portmux import errors
from portmux.errors import ConfigError, PortmuxError


class ErrorsTests(SynchronousTestCase):
    """The tree of exceptions."""

    def test_one_root(self) -> None:
        """Whoever catches PortmuxError catches everything raised on purpose."""
        raised = [
            kind
            for _, kind in inspect.getmembers(errors, inspect.isclass)
            if issubclass(kind, Exception)
        ]
        self.assertGreater(len(raised), 3)
        for kind in raised:
            self.assertTrue(issubclass(kind, PortmuxError), kind)

    def test_all_faults(self) -> None:
        """A configuration's faults are kept apart, and are all in the text."""
        error = ConfigError(["a:1:1: x", "a:2:1: y"])
        self.assertEqual(error.faults, ("a:1:1: x", "a:2:1: y"))
        self.assertEqual(str(error), "a:1:1: x\na:2:1: y")
