"""Tests for L{portmux.actions.forward}."""

from __future__ import annotations

from portmux.actions.forward import Connect, Forward
from portmux.core.address import Host, Unix
from portmux.core.option import Seconds
from tests.actions.decoding import decoded, faults_of
from tests.net.stage import StageCase, policy


class ForwardTests(StageCase):
    def test_written(self) -> None:
        """One backend, several, or all options."""
        one = Forward((Host("127.0.0.1", 22),))
        self.assertEqual(decoded('forward: "127.0.0.1:22"'), one)
        both = (Host("::1", 22), Unix("/run/a"))
        self.assertEqual(decoded('forward: ["[::1]:22", "unix:/run/a"]'), Forward(both))
        self.assertEqual(
            decoded('forward: {to: "a.test:1", connect: {timeout: 2s, attempts: 3}}'),
            Forward(
                (Host("a.test", 1),), connect=Connect(timeout=Seconds(2.0), attempts=3)
            ),
        )

    def test_faults(self) -> None:
        """Nowhere to go, or no time to."""
        self.assertEqual(len(faults_of("forward: []")), 1)
        self.assertEqual(len(faults_of("forward: 22")), 1)
        self.assertEqual(
            len(faults_of('forward: {to: "a:1", connect: {timeout: 0, attempts: 0}}')),
            2,
        )

    def test_plan(self) -> None:
        """Each backend once, in order, unless told otherwise."""
        to = (Host("a", 1), Host("b", 2))
        plan = Forward(to).plan()
        self.assertEqual([backend.address for backend in plan.pool.backends], [*to])
        settings = plan.pool.settings
        self.assertEqual((settings.attempts, settings.timeout), (None, 10.0))
        connect = Connect(timeout=Seconds(1.0), attempts=1)
        plan = Forward(to, connect=connect).plan()
        settings = plan.pool.settings
        self.assertEqual((settings.attempts, settings.timeout), (1, 1.0))

    def test_source(self) -> None:
        """Addresses of ours; of nothing else is there one to come from."""
        action = decoded('forward: {to: "a:1", source: ["192.0.2.1", "::1"]}')
        self.assertEqual(action.plan().source, ("192.0.2.1", "::1"))
        (fault,) = faults_of('forward: {to: "a:1", source: [eth0]}')
        self.assertIn("'eth0' is no IP address", str(fault))

    def test_attempts(self) -> None:
        """No more backends than allowed are tried."""
        address, listening = self.backend()
        gone = Unix(self.path("gone"))
        action = Forward((gone, address), connect=Connect(attempts=1))
        self.accept(policy([(b"a", action.plan())]), b"abc")
        self.assertEqual(self.record().attempts, 1)
        self.assertRaises(BlockingIOError, listening.accept)

    def test_forward(self) -> None:
        """The bytes seen so far go first."""
        address, listening = self.backend()
        client = self.accept(policy([(b"a", Forward((address,)).plan())]), b"abc")
        client.sendall(b"def")
        backend = self.accepted(listening)
        self.assertEqual(self.receive(backend), b"abcdef")
