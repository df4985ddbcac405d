"""Tests for L{portmux.config.pooled}."""

from __future__ import annotations

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.config.changes import Changes, Limits
from portmux.config.model import Config
from portmux.config.pooled import pooled
from portmux.config.sources.tunnel import tunnel
from portmux.config.tree import without
from portmux.config.write import write
from portmux.core.address import Host
from portmux.core.reach import Tls
from portmux.core.strategies import Strategy
from tests.config import kinds

TEXT = """\
listeners:
  plain: {bind: "127.0.0.1:80", forward: ["10.0.0.1:1", "10.0.0.2:1"]}
  routed:
    bind: "127.0.0.1:81"
    routes:
      - {name: a, match: ssh, forward: {pool: p}}
      - name: b
        match: always
        forward: {to: "10.0.0.1:1", strategy: random, eject: 3, source: 127.0.0.9}
  one: {bind: "127.0.0.1:82", routes: {name: r, match: ssh, forward: "10.0.0.1:1"}}
pools:
  p: {backends: [{address: "10.0.0.1:1", connections: 9}, "10.0.0.2:1"]}
tunnels: {open: ["1=10.0.0.1:1,2[remote-tls=true]", "3=4"], ca-bundle: /ca.pem}
"""

loaded = partial(kinds.loaded, kinds=registry())


class PooledTests(SynchronousTestCase):
    left: Changes

    def read(self, changes: Changes) -> Config:
        """@return: what reads what was written, but for tunnels."""
        found = loaded(TEXT)
        tree, self.whole, self.left = pooled(
            found.tree, changes.over(found.config), changes
        )
        return loaded(write(without(tree, "tunnels"))).config

    def weights(self, config: Config, pool: str) -> dict[str, int]:
        return {str(b.address): b.weight for b in config.pools[pool].backends}

    def test_pool(self) -> None:
        """Backends and weights; whatever else is said of a backend stays."""
        changes = Changes().pooled("p", (Host("10.0.0.1", 1), Host("10.0.0.3", 1)))
        changes = changes.treated("p", "10.0.0.3:1", weight=7, state="disabled")
        config = self.read(changes)
        self.assertEqual(self.weights(config, "p"), {"10.0.0.1:1": 1, "10.0.0.3:1": 7})
        self.assertEqual(config.pools["p"].backends[0].connections, 9)
        left = self.left.backends["p"]["10.0.0.3:1"]
        self.assertEqual((left.state, left.weight), ("disabled", None))

    def test_own_pool(self) -> None:
        """A list of backends becomes a pool that does the same."""
        changes = Changes().treated("plain/forward", "10.0.0.2:1", weight=5)
        config = self.read(changes)
        self.assertEqual(getattr(config.listeners["plain"].action, "pool", ""), NAME)
        made = config.pools[NAME]
        self.assertEqual(self.weights(config, NAME), {"10.0.0.1:1": 1, "10.0.0.2:1": 5})
        self.assertEqual((made.strategy, made.eject), (Strategy.FIRST_AVAILABLE, None))
        self.assertEqual(self.left, Changes())

    def test_route(self) -> None:
        """Only the route's action changes; what it says of itself it keeps."""
        changes = Changes().treated("routed/b", "10.0.0.1:1", weight=5)
        changes = changes.treated("one/r", "10.0.0.1:1", weight=6, state="draining")
        config = self.read(changes)
        before = loaded(TEXT).config.listeners["routed"].routes
        first, second = config.listeners["routed"].routes
        self.assertEqual((first, second.match), (before[0], before[1].match))
        self.assertEqual(getattr(second.action, "source", ()), ("127.0.0.9",))
        made = config.pools["routed-b"]
        assert made.eject is not None
        self.assertEqual((made.strategy, made.eject.errors), (Strategy.RANDOM, 3))
        self.assertEqual(self.weights(config, "one-r"), {"10.0.0.1:1": 6})
        self.assertEqual(list(self.left.backends), ["one-r"], "by its new name")

    def test_tunnel(self) -> None:
        """It becomes a listener; those without such changes stay what they are."""
        changes = Changes().treated("127.0.0.1:1", "127.0.0.1:2", weight=5)
        changes = changes.limited("127.0.0.1:1", Limits(), {"connections": 4})
        config = self.read(changes)
        made, pool = config.listeners["127.0.0.1-1"], config.pools["127.0.0.1-1"]
        self.assertEqual(made.bind[0].address, Host("127.0.0.1", 1))
        self.assertEqual((made.timeouts.half_close, made.limits.connections), (None, 4))
        self.assertEqual(
            self.weights(config, "127.0.0.1-1"), {"10.0.0.1:1": 1, "127.0.0.1:2": 5}
        )
        assert pool.tls is not None
        self.assertEqual(pool.tls.wanted(), Tls(ca_bundle="/ca.pem"))
        self.assertEqual((pool.strategy, pool.connect.attempts), (Strategy.RANDOM, 3))
        self.assertEqual(self.whole.tunnels.open, (tunnel("3=4"),))
        self.assertEqual(self.left, Changes())

    def test_impossible(self) -> None:
        """No listener is without an attempt, or without a backend."""
        for text in ("5=6[retries=0]", "5=6[check-interval=0]"):
            changes = Changes().opened(tunnel(text))
            changes = changes.treated("127.0.0.1:5", "127.0.0.1:6", weight=5)
            self.read(changes)
            self.assertEqual(self.left, changes)

    def test_names(self) -> None:
        """What is there already goes by its name still."""
        changes = Changes().opened(tunnel("[::1]:5=6")).opened(tunnel("[1::]:5=6"))
        for name in ("[::1]:5", "[1::]:5"):
            changes = changes.treated(name, "127.0.0.1:6", weight=5)
        self.assertEqual({"p", "1-5", "1-5-2"}, set(self.read(changes).pools))


NAME = "plain-forward"
