"""Tests for L{portmux.config.pools}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.pools import Backend, Connect, Eject, Pool, Queue, Tls
from portmux.config.sources import yaml
from portmux.core.address import Host, Unix
from portmux.core.health import Ejection
from portmux.core.option import Seconds
from portmux.core.pool import Settings
from portmux.core.reach import PLAIN
from portmux.core.strategies import Strategy
from portmux.errors import ConfigError

A, B = Host("10.0.0.1", 80), Host("10.0.0.2", 80)


def decoded(text: str) -> Pool:
    """@raise ConfigError: it has faults."""
    faults = Faults()
    tree = yaml.parse("test", text, faults)
    assert tree is not None
    pool: Pool = Decoder(registry(), faults).decode(Pool, tree)
    faults.check()
    return pool


def faults_of(text: str) -> list[str]:
    try:
        decoded(text)
    except ConfigError as error:
        return [fault.split(": ", 1)[1] for fault in error.faults]
    return []


class PoolTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Round-robin; one error ejects, never all; nobody waits."""
        pool = decoded('backends: ["10.0.0.1:80", "10.0.0.2:80"]').made()
        self.assertEqual(
            pool.settings,
            Settings(strategy=Strategy.ROUND_ROBIN, eject=Ejection(1, 10.0)),
        )
        self.assertEqual([each.address for each in pool.backends], [A, B])
        self.assertIs(pool.settings.reach.tls, PLAIN.tls)

    def test_whole(self) -> None:
        """Every option arrives where it is used."""
        pool = decoded(
            """
            backends:
              - {address: "10.0.0.1:80", weight: 3, connections: 5}
              - 10.0.0.2:80
            strategy: source_hash
            connect: {timeout: 2s, attempts: 4}
            eject: {errors: 3, recheck: 5s, back-off: 1m, max: 1}
            slow-start: 30s
            sticky: 10m
            connections: 7
            queue: {length: 9, timeout: 1s}
            resolve: 20s
            tls: {name: a.test, ca-bundle: /ca, certificate: /c, key: /k}
            """
        ).made()
        settings = pool.settings
        self.assertIs(settings.strategy, Strategy.SOURCE_HASH)
        self.assertEqual((settings.timeout, settings.attempts), (2.0, 4))
        self.assertEqual(settings.eject, Ejection(3, 5.0, 60.0, 1))
        self.assertEqual((settings.slow_start, settings.sticky), (30.0, 600.0))
        self.assertEqual((settings.queue.length, settings.queue.timeout), (9, 1.0))
        self.assertEqual(settings.reach.resolve, 20.0)
        tls = settings.reach.tls
        assert tls is not None
        self.assertEqual(
            (tls.name, tls.ca_bundle, tls.certificate, tls.key, tls.minimum),
            ("a.test", "/ca", "/c", "/k", "TLSv1.2"),
        )
        self.assertEqual(
            [(each.weight, each.most) for each in pool.backends], [(3, 5), (1, 7)]
        )

    def test_short(self) -> None:
        """One value stands for what is mostly said of it."""
        pool = decoded("{backends: a:1, eject: 5, queue: 7, tls: }")
        self.assertEqual(pool.eject, Eject(errors=5))
        self.assertEqual(pool.queue, Queue(7))
        self.assertEqual(pool.tls, Tls())
        pool = decoded("{backends: a:1, eject: none}")
        self.assertIsNone(pool.made().settings.eject)

    def test_faults(self) -> None:
        for text, told in (
            ("{backends: []}", "backends: is empty, a backend is needed"),
            (
                "{backends: [a:1, b:1, a:1]}",
                "backends.2: a:1 is there already, once is allowed",
            ),
            (
                "{backends: {address: a:1, weight: 0}}",
                "backends.weight: 0 is not allowed, 1 to 256 is",
            ),
            (
                "{backends: a:1, strategy: fastest}",
                'strategy: "fastest" is not allowed, one of first-available, '
                "least-connections, least-requests, power-of-two, random, round-robin,"
                " source-hash is",
            ),
            (
                "{backends: a:1, eject: {recheck: 1m, back-off: 5s}}",
                "eject.back-off: is shorter than recheck, at least as long is allowed",
            ),
            (
                "{backends: 'unix:/s', tls: }",
                "tls: needs a name: a unix socket has none",
            ),
            (
                "{backends: a:1, tls: {name: ä}}",
                'tls.name: "ä" is not a host\'s name or an IP address',
            ),
            (
                "{backends: a:1, tls: {key: /k}}",
                "tls.key: means nothing without a certificate",
            ),
        ):
            self.assertEqual(faults_of(text), [told])

    def test_made_by_hand(self) -> None:
        """The same rules."""
        pool = Pool(backends=(Backend(A),), connect=Connect(timeout=Seconds(1.0)))
        self.assertEqual(pool.made().settings.timeout, 1.0)
        self.assertRaises(ValueError, Pool, backends=(Backend(A), Backend(A)))
        self.assertRaises(ValueError, Pool, backends=(Backend(Unix("/s")),), tls=Tls())
