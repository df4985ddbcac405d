"""Tests for L{portmux.actions.forward}."""

from __future__ import annotations

from portmux.actions.forward import Forward
from portmux.config.pools import Connect
from portmux.core.address import Host, Unix
from portmux.core.health import Ejection
from portmux.core.option import Seconds
from portmux.core.reach import Reach, Tls
from portmux.core.strategies import Strategy
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
        self.assertEqual(
            faults_of("forward: {}"),
            ["forward: there are no backends, to or pool is needed"],
        )
        self.assertEqual(len(faults_of("forward: 22")), 1)
        self.assertEqual(
            len(faults_of('forward: {to: "a:1", connect: {timeout: 0, attempts: 0}}')),
            2,
        )

    def test_options(self) -> None:
        """What a pool may have to say, too, where it is most needed."""
        action = decoded(
            'forward: {to: ["a:1", "b:1"], strategy: min-open-connections,'
            " eject: {errors: 2, recheck: 5s}, tls: {name: c, minimum: TLSv1.3}}"
        )
        settings = action.plan().pool.settings
        self.assertIs(settings.strategy, Strategy.LEAST_CONNECTIONS)
        self.assertEqual(settings.eject, Ejection(2, 5.0))
        self.assertEqual(settings.reach, Reach(Tls(name="c", minimum="TLSv1.3")))

    def test_pool(self) -> None:
        """Its name is all that the plan knows."""
        plan = decoded("forward: {pool: git}").plan()
        self.assertEqual((plan.pool.name, plan.pool.backends), ("git", ()))

    def test_beside_a_pool(self) -> None:
        """What the pool says is not said again."""
        self.assertEqual(
            faults_of('forward: {pool: git, to: "a:1"}'),
            ["forward.pool: there are backends, too; either of them is allowed"],
        )
        for option in (
            "strategy: random",
            "connect: {timeout: 1s}",
            "eject: 1",
            "tls:",
        ):
            self.assertEqual(
                faults_of(f"forward: {{pool: git, {option} }}"),
                [f"forward.{option.partition(':')[0]}: is the pool's to say"],
            )

    def test_no_such_pool(self) -> None:
        self.assertEqual(
            faults_of("forward: {pool: gti}"),
            [
                'forward.pool: there is no pool "gti", allowed: git, web; '
                'did you mean "git"?'
            ],
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
