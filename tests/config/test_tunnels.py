"""Tests for L{portmux.config.tunnels}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.tunnels import Tunnels
from tests.config.kinds import faults_of, inputs, loaded


class TunnelsTests(SynchronousTestCase):
    def tunnels(self, text: str) -> Tunnels:
        return loaded(text).config.tunnels

    def test_list(self) -> None:
        """Defaults are plexy's."""
        found = self.tunnels('tunnels: ["3000=3001", "[::1]:1=x:2[errors=2]"]')
        self.assertEqual(
            list(map(str, found.open)),
            ["127.0.0.1:3000=127.0.0.1:3001", "[::1]:1=x:2[errors=2]"],
        )
        self.assertEqual(
            (found.timeout, found.retries, found.errors, found.check_interval),
            (10.0, 3, 1, 10.0),
        )

    def test_options(self) -> None:
        found = self.tunnels("tunnels: {open: 1=2, retries: 7, timeout: 500ms}")
        self.assertEqual((len(found.open), found.retries, found.timeout), (1, 7, 0.5))

    def test_faults(self) -> None:
        """Each is told, with its place."""
        lines = faults_of(inputs('tunnels: ["1=2", "x", "127.0.0.1:1=3"]'))
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("portmux.yaml:1:18: tunnels.1: ", lines[0])
        (line,) = faults_of(inputs('tunnels: ["1=2", "127.0.0.1:1=3"]'))
        self.assertIn("there is a tunnel at 127.0.0.1:1 already", line)
