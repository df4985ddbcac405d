"""Test portmux.app.treatment."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.treatment import apply
from portmux.config.changes import Changes
from portmux.core.address import Host
from portmux.core.backend import Backend, Change, State
from portmux.core.pool import Pool
from portmux.core.pools import Pools


class TreatmentTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pools = Pools()
        self.backend = Backend(Host("a", 1), 3)
        pool = Pool.of([self.backend, Host("b", 1)], name="p")
        self.pools.put("p", pool, 0.0)
        self.told: list[Change] = []
        self.pools.observers.append(self.told.append)

    def apply(self, before: Changes, after: Changes) -> None:
        apply(self.pools, before, after, 1.0)

    def test_there_and_back(self) -> None:
        """What is undone is as the configuration says."""
        made = Changes().treated("p", "a:1", state="disabled", weight=9)
        self.apply(Changes(), made)
        self.assertEqual((self.backend.state, self.backend.weight), (State.DISABLED, 9))
        self.apply(made, made)
        self.assertEqual(len(self.told), 1)
        drained = made.treated("p", "a:1", state="draining")
        self.apply(made, drained)
        self.assertIs(self.backend.state, State.DRAINING)
        self.apply(drained, Changes())
        self.assertEqual((self.backend.state, self.backend.weight), (State.UP, 3))

    def test_unknown(self) -> None:
        """Pools and backends that are not there may come again."""
        made = Changes().treated("x", "a:1", weight=2).treated("p", "z:1", weight=2)
        self.apply(Changes(), made)
        self.assertEqual(self.backend.weight, 3)
