"""Tests for L{portmux.config.places}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.places import clashes
from tests.config.kinds import NOTHING, faults_of, inputs, loaded

LISTENER = 'listeners: {a: {bind: "127.0.0.1:1", close: }}\n'


class ClashesTests(SynchronousTestCase):
    def test_own_addresses(self) -> None:
        """What portmux needs for itself is no listener's."""
        for text, where in [
            ('control: {line: "127.0.0.1:1"}', "1:17: control.line"),
            ('control: {rpc: "127.0.0.1:1"}', "1:16: control.rpc"),
            ('metrics: {prometheus: "127.0.0.1:1"}', "1:23: metrics.prometheus"),
        ]:
            (line,) = faults_of(inputs(f"{text}\n{LISTENER}"))
            self.assertEqual(
                line,
                f"portmux.yaml:{where}: 127.0.0.1:1 is a listener's, another is"
                " allowed",
            )

    def test_tunnels(self) -> None:
        """A tunnel is a listener, too."""
        (line,) = faults_of(inputs(f"tunnels: [1=2]\n{LISTENER}"))
        self.assertIn("tunnels.0: 127.0.0.1:1 is bound already", line)

    def test_unknown(self) -> None:
        """What has faults of its own clashes with nothing."""
        self.assertEqual(list(clashes({})), [])

    def test_something_to_do(self) -> None:
        """A tunnel will do, a control address, or the word that nothing is needed."""
        self.assertIn(NOTHING, faults_of(inputs("log: {level: info}"))[0])
        for text in ("tunnels: 1=2", 'control: {line: "127.0.0.1:1"}', "start: any"):
            loaded(text)
