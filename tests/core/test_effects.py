"""Tests for L{portmux.core.effects}."""

from __future__ import annotations

from typing import get_args

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.effects import (
    CLOSE,
    FINISH,
    RELAY,
    RESET,
    WAIT,
    Close,
    Dial,
    Effect,
    Finish,
    Queued,
    Relay,
    Side,
    Wait,
)
from portmux.core.waiting import Ticket


class EffectTests(SynchronousTestCase):
    """Effects are values: engines and tests compare them."""

    def test_what_has_no_details_exists_once(self) -> None:
        """Most effects of a session cost no object."""
        self.assertEqual((WAIT, RELAY), (Wait(), Relay()))
        self.assertEqual((CLOSE, RESET), (Close(reset=False), Close(reset=True)))
        self.assertEqual(
            FINISH,
            {
                Side.CLIENT: Finish(Side.CLIENT),
                Side.BACKEND: Finish(Side.BACKEND),
            },
        )

    def test_they_differ_by_their_details(self) -> None:
        self.assertNotEqual(CLOSE, RESET)
        self.assertNotEqual(Dial(Host("a", 1)), Dial(Host("a", 2)))

    def test_no_effect_is_of_two_kinds(self) -> None:
        """An engine asks for the class, in any order."""
        kinds = get_args(Effect)
        details = Dial(Host("a", 1)), Queued(Ticket())
        for effect in (WAIT, RELAY, CLOSE, *FINISH.values(), *details):
            self.assertEqual(
                [isinstance(effect, kind) for kind in kinds].count(True), 1
            )
