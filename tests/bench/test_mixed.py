"""Clients of all kinds, against a backend with nothing before it."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from bench import mixed
from bench.mixed import KINDS, Load, Wrong, check, echo, unmatched
from tests.integration.processes import until


class KindTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.kept = ExitStack()
        self.addCleanup(self.kept.close)
        self.port = self.kept.enter_context(echo())
        self.patch(mixed, "IDLE", 0.01)

    def test_what_comes_back(self) -> None:
        """Each kind tells how much it has compared."""
        sizes = {kind.__name__: kind(self.port, Random(1)) for kind in KINDS[:-2]}
        self.assertEqual(sizes["short"], 64)
        self.assertEqual(sizes["slow"], mixed.SLOW + 1)
        self.assertGreater(sizes["bulk"], 1000)
        self.assertEqual(sizes["reset"], 0)

    def test_another_answer(self) -> None:
        """One octet that should not come, or another one, is noticed."""
        self.assertRaises(Wrong, unmatched, self.port, Random(1))
        self.assertRaises(Wrong, check, b"ab", b"abc")
        self.assertRaises(Wrong, check, b"abd", b"abc")

    def test_load(self) -> None:
        """Faults are kept, and end nothing."""
        with Load(self.port, 3, 1) as load:
            until(lambda: load.octets and load.faults, lambda: str(load.done))
        self.assertEqual(
            {line.partition(":")[0] for line in load.faults}, {"unmatched"}
        )
        self.assertGreater(sum(load.done.values()), 0)
