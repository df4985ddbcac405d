"""Tests for L{portmux.net.descriptors}."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import portmux
from portmux.net.descriptors import SPARE, Budget, open_now

ROOT = Path(portmux.__file__).parent.parent

LIMITED = f"""
import resource
from portmux.net.descriptors import Budget, open_now, raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
assert Budget.of_process().most == 64 - open_now() - {SPARE}
assert raise_limit() == (64, 128)
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (128, 128)
assert Budget.of_process().most == 128 - open_now() - {SPARE}
assert raise_limit() == (128, 128)
"""


class LimitTests(SynchronousTestCase):
    def test_open_now(self) -> None:
        """One more is one more."""
        before = open_now()
        descriptor = os.open("/dev/null", os.O_RDONLY)
        self.assertEqual(open_now(), before + 1)
        os.close(descriptor)

    def test_limit_of_the_process(self) -> None:
        """It is raised as far as it goes, and sessions have what is left of it."""
        command = [sys.executable, "-W", "error", "-c", LIMITED]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))


class BudgetTests(SynchronousTestCase):
    def test_allows(self) -> None:
        """Up to the limit."""
        budget = Budget(5)
        budget.take(3)
        self.assertTrue(budget.allows(2))
        self.assertFalse(budget.allows(3))
        budget.give(3)
        self.assertTrue(budget.allows(3))

    def test_one_session_always_can(self) -> None:
        """Else nobody could ever."""
        budget = Budget(1)
        self.assertTrue(budget.allows(7))
        budget.take(1)
        self.assertFalse(budget.allows(1))

    def test_waiting(self) -> None:
        """Each is called once, when something was given back."""
        budget, calls = Budget(1), []
        budget.take(1)
        budget.wait(lambda: calls.append("a"))
        budget.wait(lambda: calls.append("b"))
        self.assertEqual(calls, [])
        budget.give(1)
        budget.take(1)
        budget.give(1)
        self.assertEqual(calls, ["a", "b"])

    def test_waiting_again(self) -> None:
        """Whoever is called may find that it must wait once more."""
        budget, calls = Budget(1), []

        def resume() -> None:
            calls.append(budget.allows(1))
            budget.wait(resume)

        budget.take(2)
        budget.wait(resume)
        budget.give(1)
        budget.give(1)
        self.assertEqual(calls, [False, True])
