"""Tests for L{portmux.core.mux.settings}."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.mux import Mux
from portmux.core.address import Host
from portmux.core.frame.line import Line
from portmux.core.mux.settings import Settings


class SettingsTests(SynchronousTestCase):
    def test_defaults_are_those_of_the_configuration(self) -> None:
        """They are told in two places, and must not differ."""
        mux = Mux(protocol=Line(), to=(Host("192.0.2.1", 502),))
        self.assertEqual(attrs.asdict(mux.settings()), attrs.asdict(Settings()))
