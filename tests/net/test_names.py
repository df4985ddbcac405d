"""Tests for L{portmux.net.names}."""

from __future__ import annotations

import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host, Unix
from portmux.net import names as module
from portmux.net.names import Name, Names

NAME = Host("a.test", 80)

ONE: Name = (socket.AF_INET, ("192.0.2.1", 80))
OTHER: Name = (socket.AF_INET, ("192.0.2.2", 80))


class NamesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.names = Names(self.clock.seconds)

    def test_literals(self) -> None:
        """However they are written; the same answer whenever they are asked for."""
        for _ in range(2):
            self.assertEqual(self.names.literal(Unix("/s")), (socket.AF_UNIX, "/s"))
            self.assertEqual(
                self.names.literal(Host("127.0.0.1", 1)),
                (socket.AF_INET, ("127.0.0.1", 1)),
            )
            self.assertEqual(
                self.names.literal(Host("0:0::1", 1)),
                (socket.AF_INET6, ("::1", 1, 0, 0)),
            )
            self.assertIsNone(self.names.literal(NAME))

    def test_interface_that_is_not_there(self) -> None:
        address = Host("fe80::1%nowhere0", 80)
        self.assertRaises(OSError, self.names.literal, address)

    def test_good_for_a_while(self) -> None:
        """Then nothing is known, but what was is better than nothing."""
        self.assertEqual(self.names.resolved(NAME), ())
        self.assertEqual(self.names.keep(NAME, (), 30.0), ())
        self.assertEqual(self.names.keep(NAME, (ONE,), 30.0), (ONE,))
        self.clock.advance(29.0)
        self.assertEqual(self.names.resolved(NAME), (ONE,))
        self.clock.advance(1.0)
        self.assertEqual(self.names.resolved(NAME), ())
        self.assertEqual(self.names.keep(NAME, (), 30.0), (ONE,))
        self.assertEqual(self.names.keep(NAME, (OTHER,), 30.0), (OTHER,))
        self.assertEqual(self.names.resolved(NAME), (OTHER,))

    def test_bounds(self) -> None:
        """Ever new addresses cost no more memory in the end."""
        self.patch(module, "MOST", 2)
        for port in range(5):
            self.names.literal(Host("127.0.0.1", port))
            self.names.keep(Host("a.test", port), (ONE,), 30.0)
        self.assertLessEqual(len(self.names._literals), 2)
        self.assertLessEqual(len(self.names._resolved), 2)
