"""Tests for L{portmux.core.plan}."""

from __future__ import annotations

from typing import Any, get_args

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.plan import Action, Closing, Forwarding, Plan, Serving
from portmux.core.pool import Pool


@attrs.frozen
class Sing:
    """An action as an extension would write one."""

    async def serve(self, client: Any) -> None:
        client.write(b"la")

    def plan(self) -> Serving:
        return Serving("sing", self.serve)


class PlanTests(SynchronousTestCase):
    """Plans are made once and never change under a session."""

    def test_frozen(self) -> None:
        pool = Pool.of([Host("10.0.0.1", 80)])
        forwarding = Forwarding(pool, timeout=10.0, attempts=1)
        for plan, name in (
            (forwarding, "attempts"),
            (Closing(), "reset"),
            (Sing().plan(), "name"),
        ):
            self.assertRaises(
                attrs.exceptions.FrozenInstanceError, setattr, plan, name, None
            )

    def test_an_action_needs_no_base(self) -> None:
        """Whatever makes a plan is one."""
        action: Action = Sing()
        plan = action.plan()
        assert isinstance(plan, Serving)
        self.assertEqual((plan.name, plan.descriptors), ("sing", 0))

    def test_closing_is_orderly_unless_said(self) -> None:
        """RST only where somebody wants it."""
        self.assertFalse(Closing().reset)

    def test_three_kinds(self) -> None:
        """An engine that knows these knows every action there will be."""
        self.assertEqual(set(get_args(Plan)), {Forwarding, Closing, Serving})
