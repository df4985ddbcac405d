"""Tests for L{portmux.control.running}."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.admin import Admin
from portmux.control.handling import HANDLERS, handles
from portmux.control.reply import DONE, Reply
from portmux.control.running import INTERNAL, run
from portmux.errors import CommandError
from tests.control.stage import Office


@attrs.frozen
class Break:
    """Break."""


@attrs.frozen
class Do:
    """Do."""


class RunTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(HANDLERS.pop, Break)
        self.addCleanup(HANDLERS.pop, Do)

        @handles(Break)
        def fail(admin: Admin, command: Break) -> Reply:
            raise ZeroDivisionError

        @handles(Do)
        def do(admin: Admin, command: Do) -> Reply:
            return DONE

    def test_done(self) -> None:
        office = Office()
        self.assertIs(run(office, Do()), DONE)
        self.assertEqual(office.caught, 1, "what is over was counted before")

    def test_mistake(self) -> None:
        """One of ours is logged, and its client is told no more than that."""
        error = self.assertRaises(CommandError, run, Office(), Break())
        assert isinstance(error, CommandError)
        self.assertEqual(error.code, INTERNAL)
        self.assertNotIn("division", str(error))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
