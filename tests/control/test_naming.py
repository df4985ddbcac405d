"""Tests for L{portmux.control.naming}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control import commands
from portmux.control.naming import fitting, named, pool_named, standing_named
from portmux.core.address import Host
from portmux.errors import CommandError
from tests.control.stage import Office


class NamingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.office = Office()
        self.office.listener("front", Host("10.0.0.1", 80))

    def test_found(self) -> None:
        self.assertEqual(standing_named(self.office, "front").name, "front")
        pool, backend = named(self.office, "front", "10.0.0.1:80")
        self.assertIs(pool_named(self.office, "front"), pool)
        self.assertEqual(pool.backends, (backend,))

    def test_missing(self) -> None:
        """It is said what there is none of."""
        for function, arguments, text in [
            (standing_named, ["x"], "There is no listener x"),
            (pool_named, ["x"], "There is no pool x"),
            (named, ["front", "x"], "There is no backend x in front"),
        ]:
            error = self.assertRaises(CommandError, function, self.office, *arguments)
            self.assertEqual(str(error), text)

    def test_fitting(self) -> None:
        one = self.office.session("front", Host("192.0.2.1", 5))
        self.office.session("front", Host("192.0.2.2", 5))
        wanted = commands.Sessions(client="192.0.2.1")
        self.assertEqual(fitting(self.office, wanted), [one])
        self.assertEqual(fitting(self.office, commands.Kill(one.number)), [one])
