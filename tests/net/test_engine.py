"""Tests for L{portmux.net.engine}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Unix
from portmux.core.plan import Closing
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine, Kind, best, possible
from tests.net.stage import LOCAL, StageCase, forwarding, policy


class EngineTests(StageCase):
    def test_live(self) -> None:
        """A connection is there from accept to end."""
        client = self.accept(policy([(b"a", Closing())]))
        (front,) = self.engine.live
        self.assertEqual(front.session.source, Unix(""))
        self.assertEqual(front.session.local, LOCAL)
        self.assertEqual(front.session.opened, self.reactor.seconds())
        client.close()
        self.reactor.settle()
        self.assertEqual(self.engine.live, set())

    def test_budget(self) -> None:
        """A session takes what its policy may need, and gives it back."""
        wanted = policy([(b"a", forwarding(Unix("/nowhere")))])
        self.assertEqual(wanted.descriptors, 2)
        self.engine.budget = Budget(3)
        client = self.accept(wanted)
        self.assertFalse(self.engine.budget.allows(2))
        client.close()
        self.reactor.settle()
        self.assertTrue(self.engine.budget.allows(3))

    def test_idle(self) -> None:
        """It is told when the last connection has ended, after its record."""
        told: list[int] = []
        self.engine.idle = lambda: told.append(len(self.records))
        clients = [self.accept(policy([(b"a", Closing())])) for _ in range(3)]
        for client in clients:
            self.assertEqual(told, [])
            client.close()
            self.reactor.settle()
        self.assertEqual(told, [3])

    def test_recount(self) -> None:
        """Only where a thread may be behind is there anything to be counted."""
        threads = self.engine.kind is not Kind.TWISTED
        self.assertIs(self.engine.recount(), threads)
        self.engine.use(Kind.LANE)
        self.assertTrue(self.engine.recount())
        self.assertTrue(self.engine.recount(), "without waiting again")

    def test_engines_share_nothing(self) -> None:
        """There may be two on one reactor."""
        other = Engine(self.reactor, Budget(10), self.records.append)
        self.accept(policy([(b"a", Closing())]))
        self.assertEqual((len(self.engine.live), len(other.live)), (1, 0))


class KindTests(SynchronousTestCase):
    def test_best(self) -> None:
        """Of those that are possible; Twisted's always is."""
        self.assertIn(Kind.TWISTED, possible())
        self.assertIs(best(), possible()[-1])
        self.assertIn(Kind.LANE, possible())
