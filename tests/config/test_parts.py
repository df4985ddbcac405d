"""Test portmux.config.parts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.app import force, service
from portmux.config.parts import fault


class PartsTests(SynchronousTestCase):
    def test_known(self) -> None:
        """Ours, with or without the program's name, and Twisted's."""
        for part in ("net", "net.lane.lane", "portmux.net", "portmux", "tap"):
            self.assertIsNone(fault(part), part)
        for part in ("twisted", "twisted.internet.tcp", "log_legacy"):
            self.assertIsNone(fault(part), part)

    def test_unknown(self) -> None:
        self.assertEqual(
            fault("servces"),
            '"servces" is no part of portmux, such as net or services.health, nor of'
            ' twisted; did you mean "services"?',
        )
        for part in ("", "front", "net.nosuch", "twist", "twisted2"):
            self.assertIn("is no part", fault(part) or "", part)

    def test_as_logged(self) -> None:
        """Names are those that loggers have."""
        for logger in (service.Portmux._log, force._log):
            self.assertIsNone(fault(logger.namespace), logger.namespace)
        self.assertIsNotNone(fault("app.nosuch.Portmux"))
