"""Tests for L{portmux.core.account}; tests.core.test_session has whole records."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.account import account
from portmux.core.address import Host
from portmux.core.limits import Count, Gate, Limits
from portmux.core.plan import Closing, Forwarding, Plan, Serving
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.session import Session
from portmux.core.sniff import Table, Way
from portmux.testing import LOCAL, SOURCE

A, B = Host("10.0.0.1", 80), Host("10.0.0.2", 80)


async def unused(client: Any) -> None:
    """What a session adopts is the engine's to run."""


def ended(plan: Plan, *events: str) -> Session:
    """
    @param events: why backends were not there, one after another.
    @return: a session that has sent a byte which no route fits.
    """
    table = Table([], Way("fallback", plan))
    policy = Policy("front", table, Gate(Limits(), Count()))
    session = Session(policy, SOURCE, LOCAL, 10.0)
    session.open()
    session.receive(b"x", 11.0)
    for why in events:
        session.connect_failed(why, 12.0)
    return session


class AccountTests(SynchronousTestCase):
    def test_backend(self) -> None:
        """The target that was tried last, or the action's name."""
        pool = Forwarding(Pool.of([A, B]))
        for session, backend, attempts in (
            (ended(pool), str(A), 1),
            (ended(pool, "refused"), str(B), 2),
            (ended(pool, "refused", "refused"), str(B), 2),
            (ended(Forwarding(Pool.of([]))), "-", 0),
            (ended(Serving("echo", unused)), "echo", 0),
            (ended(Closing()), "close", 0),
        ):
            record = account(session, 15.0)
            self.assertEqual((record.backend, record.attempts), (backend, attempts))

    def test_before_a_decision(self) -> None:
        """There is nothing but who it is, and from when to when."""
        policy = ended(Closing()).policy
        record = account(Session(policy, SOURCE, LOCAL, 10.0), 15.0)
        self.assertEqual((record.route, record.backend, record.cause), ("-", "-", "-"))
        self.assertEqual((record.time, record.seconds), (10.0, 5.0))

    def test_what_the_session_says(self) -> None:
        """How it ended, what was found out, and what was counted."""
        session = ended(Closing())
        session.cause, session.pattern, session.hint = "match", 2, "look"
        session.facts, session.sniffed = (("sni", "a.test"),), 1.5
        session.how, session.detail = "stopped", "by the operator"
        session.sent, session.received = 7, 8
        record = account(session, 15.0)
        self.assertEqual((record.cause, record.pattern), ("match", 2))
        self.assertEqual(record.facts, (("sni", "a.test"),))
        self.assertEqual((record.sniffed, record.hint), (1.5, "look"))
        self.assertEqual((record.end, record.detail), ("stopped", "by the operator"))
        self.assertEqual((record.sent, record.received), (7, 8))
