"""Tests for L{portmux.control.handling}."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.admin import Admin
from portmux.control.handling import HANDLERS, handles
from portmux.control.reply import DONE, Reply


@attrs.frozen
class Known:
    """A command."""


class HandlesTests(SynchronousTestCase):
    def test_kept(self) -> None:
        """The function is found by the kind, and stays what it is."""
        self.addCleanup(HANDLERS.pop, Known)

        @handles(Known)
        def known(admin: Admin, command: Known) -> Reply:
            return DONE

        self.assertIs(HANDLERS[Known], known)
