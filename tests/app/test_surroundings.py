"""Test portmux.app.surroundings."""

from __future__ import annotations

from typing import NoReturn

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.surroundings import Surroundings
from portmux.config.model import Config


class SurroundingsTests(SynchronousTestCase):
    def test_least(self) -> None:
        """A log of its own, and what it was read from, may be missing."""

        def refuse(why: str) -> NoReturn:
            raise AssertionError(why)

        around = Surroundings(
            reactor=lambda: None,
            environ={},
            load=lambda: Config(start="any"),
            configured=lambda config: None,
            obey=lambda told, reactor: None,
            own_pid_file=True,
            refuse=refuse,
        )
        self.assertEqual((around.output, around.tree), (None, None))
