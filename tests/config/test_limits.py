"""Test portmux.config.limits."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.limits import Ban, GlobalLimits, Limits, RouteLimits
from tests.config.kinds import Close, faults_of, inputs, loaded

LISTENER = 'listeners: {a: {bind: "*:1", LIMITED}}'


class LimitsTests(SynchronousTestCase):
    def faults(self, limited: str, rest: str = "") -> list[str]:
        """@param limited: options of the listener."""
        return faults_of(inputs(LISTENER.replace("LIMITED", limited) + rest))

    def test_all(self) -> None:
        """Of a listener, of a route, and of the whole program."""
        text = (
            LISTENER.replace(
                "LIMITED",
                "limits: {connections: 9, per-source: 2, rate: 2.5, ban: 10},"
                "routes: [{name: r, match: always, close: , limits: {connections: 3}}]",
            )
            + "\nlimits: {connections: 99}\n"
        )
        config = loaded(text).config
        listener = config.listeners["a"]
        self.assertEqual(
            listener.limits,
            Limits(connections=9, per_source=2, rate=2.5, ban=Ban(failures=10)),
        )
        self.assertEqual(listener.routes[0].limits, RouteLimits(connections=3))
        self.assertEqual(listener.routes[0].action, Close())
        self.assertEqual(config.limits, GlobalLimits(connections=99))

    def test_too_little(self) -> None:
        for limits, said in [
            ("limits: {connections: 0}", "0 is too small"),
            ("limits: {per-source: 0}", "0 is too small"),
            ("limits: {rate: 0}", "more than 0"),
            ("limits: {ban: 0}", "0 is too small"),
            ("limits: {ban: {failures: 1, within: 0}}", "more than 0"),
            ("limits: {ban: {failures: 1, duration: 0}}", "more than 0"),
        ]:
            (fault,) = self.faults(f"close: , {limits}")
            self.assertIn(said, fault)
        (fault,) = self.faults("close: ", "\nlimits: {connections: 0}")
        self.assertIn("limits.connections: 0 is too small", fault)
