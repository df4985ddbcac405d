"""Tests for L{portmux.app.tunnels}."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.tunnels import opened, settings
from portmux.config.model import Config
from portmux.config.sources.tunnel import tunnel
from portmux.config.tunnels import LEAST, Tunnels
from portmux.core.address import Host
from portmux.core.option import Seconds
from portmux.core.reach import Tls
from portmux.core.strategies import Strategy


class TunnelsTests(SynchronousTestCase):
    def test_opened(self) -> None:
        """Each is a listener that is called like its local socket."""
        config = opened(Config(tunnels=Tunnels((tunnel("3000=3001"), tunnel("1=2")))))
        self.assertEqual(list(config.listeners), ["127.0.0.1:3000", "127.0.0.1:1"])
        made = config.listeners["127.0.0.1:3000"]
        self.assertEqual([bind.address for bind in made.bind], [made.bind[0].address])
        self.assertEqual(made.bind[0].address, Host("127.0.0.1", 3000))
        self.assertEqual((made.timeouts.idle, made.timeouts.half_close), (None, None))

    def test_again(self) -> None:
        """The same tunnels make the same listeners: a reload leaves them alone."""
        config = Config(tunnels=Tunnels((tunnel("3000=3001[errors=2]"),)))
        self.assertEqual(opened(config), opened(config))
        self.assertEqual(opened(opened(config)), opened(config))

    def test_defaults(self) -> None:
        """What a tunnel does not say, the section does."""
        made = settings(
            tunnel("1=2"), Tunnels(retries=7, timeout=Seconds(2.0), errors=4)
        )
        self.assertEqual((made.attempts, made.timeout), (7, 2.0))
        self.assertIs(made.strategy, Strategy.RANDOM)
        assert made.eject is not None
        self.assertEqual((made.eject.errors, made.eject.recheck), (4, 10.0))
        self.assertIsNone(made.reach.tls)

    def test_options(self) -> None:
        """A tunnel's own options win."""
        text = "1=2[strategy=roundrobin,retries=0,timeout=0,errors=0,check-interval=5]"
        made = settings(tunnel(text), Tunnels(retries=7))
        self.assertEqual((made.attempts, made.timeout), (0, LEAST))
        self.assertIs(made.strategy, Strategy.ROUND_ROBIN)
        assert made.eject is not None
        self.assertEqual((made.eject.errors, made.eject.recheck), (1, 5.0))

    def test_tls(self) -> None:
        """With the certificates that the section names."""
        plain = Tunnels(ca_bundle="/ca.pem")
        made = settings(tunnel("1=2[remote-tls=true]"), plain)
        self.assertEqual(made.reach.tls, Tls(ca_bundle="/ca.pem"))
        off = settings(tunnel("1=2[remote-tls=false]"), plain)
        self.assertEqual(off, attrs.evolve(made, reach=off.reach))
        self.assertIsNone(off.reach.tls)
