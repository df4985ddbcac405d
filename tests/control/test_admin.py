"""Tests for L{portmux.control.admin}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.admin import Admin, find
from portmux.core.address import Host, Unix
from portmux.core.pool import Pool
from tests.control.stage import Office


class AdminTests(SynchronousTestCase):
    def test_find(self) -> None:
        """A backend is called like its address."""
        pool = Pool.of([Host("::1", 1), Unix("/run/x")])
        first, second = pool.backends
        self.assertIs(find(pool, "[::1]:1"), first)
        self.assertIs(find(pool, "unix:/run/x"), second)
        self.assertIsNone(find(pool, "::1:1"))

    def test_stage(self) -> None:
        """What these tests use is one, as mypy sees."""
        admin: Admin = Office()
        self.assertEqual(list(admin.sessions()), [])
