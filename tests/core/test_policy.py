"""Tests for L{portmux.core.policy}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.counts import Counts
from portmux.core.limits import Count, Gate, Limits
from portmux.core.plan import Closing, Forwarding, Plan, Serving
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.sniff import Table, Way

BACKEND = Host("10.0.0.1", 80)


async def unused(client: Any) -> None:
    """What a session adopts is the engine's to run."""


def forwarding() -> Forwarding:
    return Forwarding(Pool.of([BACKEND]), 10.0, 1)


def policy(plan: Plan, **options: Any) -> Policy:
    """@return: one whose sessions all go the same way."""
    table = Table([], Way("fallback", plan))
    return Policy("front", table, Gate(Limits(), Count()), **options)


class PolicyTests(SynchronousTestCase):
    def test_descriptors(self) -> None:
        """It knows the most that one session may need."""
        self.assertEqual(policy(forwarding()).descriptors, 2)
        many = Serving("exec", unused, descriptors=4)
        self.assertEqual(policy(many).descriptors, 5)
        self.assertEqual(policy(Closing()).descriptors, 2)

    def test_patience(self) -> None:
        """The shorter of two waits, where there are any."""
        self.assertIsNone(policy(Closing()).patience)
        self.assertEqual(policy(Closing(), timeout=3.0).patience, 3.0)
        self.assertEqual(policy(Closing(), timeout=3.0, silent=1.0).patience, 1.0)

    def test_half_first(self) -> None:
        """Which of two waits ends a session that one side has finished."""
        for idle, half, first in (
            (None, None, False),
            (5.0, None, False),
            (None, 5.0, True),
            (5.0, 5.0, False),
            (5.0, 4.0, True),
        ):
            here = policy(Closing(), idle=idle, half_close=half)
            self.assertIs(here.half_first, first)

    def test_numbers_outlive_it(self) -> None:
        """Backends of the policy that follows go on from the same numbers."""
        counts = Counts()
        before, after = forwarding(), forwarding()
        policy(before, counts=counts)
        before.pool.backends[0].tallies["front"].attempts += 1
        policy(after, counts=counts)
        self.assertEqual(after.pool.backends[0].tallies["front"].attempts, 1)
        self.assertEqual(list(counts.backends), [str(BACKEND)])
