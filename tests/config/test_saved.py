"""Tests for L{portmux.config.saved}."""

from __future__ import annotations

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.config.changes import Changes, Limits
from portmux.config.saved import saved
from portmux.config.sources.tunnel import tunnel
from portmux.core.address import Host
from tests.config import kinds

TEXT = """\
listeners:
  front: {bind: "127.0.0.1:80", forward: "10.0.0.1:1", limits: {rate: 5}}
  back: {bind: "127.0.0.1:81", forward: {to: "10.0.0.1:1", connect: {timeout: 2s}}}
  echo: {bind: "127.0.0.1:7", echo: }
tunnels: {open: ["1=2", "3=4"], retries: 7}
"""

loaded = partial(kinds.loaded, kinds=registry())


class SavedTests(SynchronousTestCase):
    def saved(self, changes: Changes, text: str = TEXT) -> str:
        found = loaded(text)
        return saved(found.tree, changes.over(found.config), changes)

    def test_same(self) -> None:
        """What is read from it is what was in force."""
        before = Limits(rate=5.0)
        changes = (
            Changes()
            .opened(tunnel("5=6[errors=2]"))
            .opened(tunnel("1=9"))
            .without("127.0.0.1:3")
            .without("echo")
            .forwarded("front", (Host("10.0.0.2", 1), Host("::1", 2)))
            .forwarded("back", (Host("10.0.0.3", 1),))
            .limited("front", before, {"connections": 9})
            .told("warn", "")
            .told("debug", "net")
        )
        read = loaded(TEXT).config
        kept, dropped = changes.fitting(read)
        self.assertEqual(dropped, [])
        again = loaded(self.saved(changes)).config
        self.assertEqual(again, kept.limiting(kept.over(read)))
        self.assertEqual(again.tunnels.retries, 7)

    def test_backends(self) -> None:
        """A weight of a tunnel's remote, and backends of a pool, are read again."""
        text = TEXT + 'pools: {p: {backends: ["10.0.0.1:1"]}}\n'
        changes = Changes().pooled("p", (Host("10.0.0.2", 1),))
        changes = changes.treated("127.0.0.1:1", "127.0.0.1:2", weight=4)
        changes = changes.treated("p", "10.0.0.2:1", state="draining")
        written = self.saved(changes, text)
        self.assertEqual(
            [line for line in written.splitlines() if line.startswith("# ")],
            ["# pool p, backend 10.0.0.2:1: state draining"],
        )
        again = loaded(written).config
        self.assertEqual(again.tunnels.open, (tunnel("3=4"),))
        self.assertEqual(again.pools["127.0.0.1-1"].backends[0].weight, 4)
        self.assertEqual(again.pools["p"].backends[0].address, Host("10.0.0.2", 1))

    def test_nothing(self) -> None:
        self.assertEqual(loaded(self.saved(Changes())).config, loaded(TEXT).config)

    def test_first_tunnel(self) -> None:
        """The section is made; and goes again with the last of its tunnels."""
        plain = 'listeners: {a: {bind: "127.0.0.1:7", echo: }}\n'
        text = self.saved(Changes().opened(tunnel("1=2")), plain)
        self.assertEqual(loaded(text).config.tunnels.open, (tunnel("1=2"),))
        closed = Changes().without("127.0.0.1:1")
        both = f"{plain}tunnels: [1=2]\n"
        self.assertNotIn("tunnels", self.saved(closed, both))
        self.assertNotIn("listeners", self.saved(Changes().without("a"), both))

    def test_unsaid(self) -> None:
        """What no configuration has words for is told in comments."""
        changes = Changes().treated("p", "a:1", state="disabled", weight=2)
        changes = changes.opened(tunnel("1=2[retries=0]"))
        changes = changes.limited("127.0.0.1:1", Limits(), {"rate": 1})
        bare = tunnel("8=9")
        changes = changes.opened(type(bare)(bare.local, ()))
        notes = [
            line for line in self.saved(changes).splitlines() if line.startswith("# ")
        ]
        self.assertEqual(
            notes,
            [
                "# the tunnel at 127.0.0.1:8 has no remotes: give it one",
                "# limits of 127.0.0.1:1: a tunnel has none in a configuration",
                "# pool p, backend a:1: state disabled, weight 2",
            ],
        )
        loaded(self.saved(changes))
