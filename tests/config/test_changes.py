"""Tests for L{portmux.config.changes}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.app.tunnels import opened
from portmux.config.changes import Changes, Limits
from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.load import Inputs, load
from portmux.config.model import Config
from portmux.config.sources import yaml
from portmux.config.sources.tunnel import tunnel
from portmux.core.address import Host

TEXT = """\
listeners:
  front: {bind: "127.0.0.1:80", forward: ["10.0.0.1:1", "10.0.0.2:1"]}
  echo: {bind: "127.0.0.1:7", echo: }
tunnels: ["1=2", "3=4"]
log: {levels: {app: warn}}
"""


def config(text: str = TEXT) -> Config:
    inputs = Inputs(
        read=lambda name: text.encode(),
        glob=lambda pattern: [],
        registry=registry(),
        file="x.yaml",
    )
    return load(inputs).config


def changed(changes: Changes, read: Config) -> tuple[Config, list[str]]:
    kept, dropped = changes.fitting(read)
    return kept.limiting(opened(kept.over(read))), dropped


POOLS = """\
listeners: {front: {bind: "127.0.0.1:80", forward: {pool: p}}}
pools: {p: {backends: [{address: "10.0.0.1:1", weight: 5}, "10.0.0.2:1"]}}
"""


class ChangesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.read = config()

    def after(self, changes: Changes) -> Config:
        found, dropped = changed(changes, self.read)
        self.assertEqual(dropped, [])
        return found

    def locals(self, changes: Changes) -> list[str]:
        return [str(each) for each in self.after(changes).tunnels.open]

    def test_pools(self) -> None:
        """A backend that stays is as it is configured; a pool has to be there."""
        to = Host("10.0.0.1", 1), Host("10.0.0.9", 1)
        changes = Changes().pooled("p", to).pooled("q", to)
        found, dropped = changed(changes, config(POOLS))
        made = found.pools["p"].backends
        self.assertEqual([each.address for each in made], list(to))
        self.assertEqual([each.weight for each in made], [5, 1])
        self.assertEqual(dropped, ["backends of the pool q: there is no such pool"])

    def test_nothing(self) -> None:
        self.assertEqual(Changes().over(self.read), self.read)
        self.assertEqual(Changes().written(), "")

    def test_tunnels(self) -> None:
        """Opened, changed, closed, and opened again."""
        made = Changes().opened(tunnel("5=6"))
        self.assertEqual(self.locals(made)[2:], ["127.0.0.1:5=127.0.0.1:6"])
        made = made.opened(tunnel("5=6,7")).opened(tunnel("1=9"))
        self.assertEqual(
            self.locals(made),
            [
                "127.0.0.1:1=127.0.0.1:9",
                "127.0.0.1:3=127.0.0.1:4",
                "127.0.0.1:5=127.0.0.1:6,127.0.0.1:7",
            ],
        )
        made = made.without("127.0.0.1:1").without("127.0.0.1:5")
        self.assertEqual(self.locals(made), ["127.0.0.1:3=127.0.0.1:4"])
        again = made.opened(tunnel("1=2"))
        kept, _ = again.fitting(self.read)
        self.assertEqual(kept, Changes(), "all is as it was read")

    def test_listeners(self) -> None:
        made = Changes().forwarded("front", (Host("10.0.0.9", 1),)).without("echo")
        found = self.after(made)
        self.assertNotIn("echo", found.listeners)
        action = found.listeners["front"].action
        self.assertEqual(getattr(action, "to", None), (Host("10.0.0.9", 1),))

    def test_all_closed(self) -> None:
        """Nothing may be left to do."""
        made = Changes()
        for name in self.read.listeners:
            made = made.without(name)
        for each in self.read.tunnels.open:
            made = made.without(str(each.local))
        self.assertEqual(dict(self.after(made).listeners), {})

    def test_limits(self) -> None:
        """Of listeners and of tunnels; those that are not changed stay."""
        made = Changes()
        for name in ("front", "127.0.0.1:1"):
            before = made.limits.get(name, Limits(per_source=7))
            made = made.limited(name, before, {"connections": 5})
        found = self.after(made)
        for name in ("front", "127.0.0.1:1"):
            limits = found.listeners[name].limits
            self.assertEqual((limits.connections, limits.per_source), (5, 7))

    def test_log(self) -> None:
        found = self.after(Changes().told("error", "").told("debug", "net"))
        self.assertEqual(found.log.level, "error")
        self.assertEqual(found.log.levels, {"app": "warn", "net": "debug"})

    def test_treated(self) -> None:
        """One thing after another is said of a backend."""
        made = Changes().treated("p", "a:1", state="disabled")
        made = made.treated("p", "a:1", weight=3).treated("p", "b:1", state="draining")
        first = made.backends["p"]["a:1"]
        self.assertEqual((first.state, first.weight), ("disabled", 3))
        made = made.treated("p", "b:1", state=None)
        self.assertEqual(list(made.backends["p"]), ["a:1"])
        self.assertIn("weight: 3", made.written())
        made = made.treated("p", "a:1", state=None)
        self.assertNotIn("state", made.written())
        self.assertEqual(made.treated("p", "a:1", weight=None), Changes())

    def test_left(self) -> None:
        """What was wanted of a backend, or a listener, goes with it."""
        made = Changes().treated("p", "a:1", weight=2).treated("p", "b:1", weight=3)
        for own in ("front/forward", "front", "127.0.0.1:1"):
            made = made.treated(own, "a:1", weight=2)
        self.assertEqual(list(made.left("p", [Host("b", 1)]).backends["p"]), ["b:1"])
        self.assertNotIn("p", made.left("p", []).backends)
        made = made.limited("front", Limits(), {"rate": 1}).without("front")
        self.assertEqual((list(made.limits), len(made.backends)), ([], 3))
        made = made.without("127.0.0.1:1")
        self.assertEqual(list(made.backends), ["p", "front"], "pools with a name")

    def test_part_is_gone(self) -> None:
        """A level of what an older portmux was made of is dropped, with a warning."""
        found, dropped = changed(Changes().told("debug", "gone"), self.read)
        self.assertEqual(found.log.levels, {"app": "warn"})
        (said,) = dropped
        self.assertIn('a level of messages: "gone" is no part of portmux', said)

    def test_treatment(self) -> None:
        """It stays while there is a place that may have such a pool."""
        text = (
            'listeners: {a: {bind: "127.0.0.1:1", routes: ['
            '{name: web, match: http, forward: "h:1"}], fallback: {forward: "h:1"}},'
            ' b: {bind: "127.0.0.1:2", forward: "h:1"}}\n'
            'pools: {p: {backends: "h:1"}}\n'
            'tunnels: ["3=h:1"]\n'
        )
        stay = ["p", "a/web", "a/fallback", "b/forward", "127.0.0.1:3"]
        go = ["q", "a/gone", "c/web", "127.0.0.1:4"]
        made = Changes()
        for pool in (*stay, *go):
            made = made.treated(pool, "h:1", weight=2)
        kept, dropped = made.fitting(config(text))
        self.assertEqual(list(kept.backends), stay)
        said = [f"treatment of backends of {pool}: it is gone" for pool in go]
        self.assertEqual(dropped, said)

    def test_dropped(self) -> None:
        """What has no place in a configuration any more, with a word for each."""
        made = Changes().opened(tunnel("8=9")).forwarded("gone", (Host("a", 1),))
        made = made.limited("gone", Limits(), {"rate": 1}).without("old")
        text = TEXT.replace("127.0.0.1:7", "127.0.0.1:8")
        kept, dropped = made.fitting(config(text))
        self.assertEqual(kept, Changes())
        self.assertEqual(
            dropped,
            [
                "the tunnel at 127.0.0.1:8: a listener is there",
                "backends of gone: there is no such listener",
                "limits of gone: there is no such listener",
            ],
        )


NAMES = st.sampled_from(["a", "b", "127.0.0.1:3"])
STEPS = st.one_of(
    st.builds(
        lambda text: lambda made: made.opened(tunnel(text)),
        st.sampled_from(["1=2", "1=3,4[retries=5]", "[::1]:5=6", "7=x:1"]),
    ),
    st.builds(lambda name: lambda made: made.without(name), NAMES),
    st.builds(
        lambda name, port: lambda made: made.forwarded(name, (Host("h", port),)),
        NAMES,
        st.integers(1, 9),
    ),
    st.builds(
        lambda name, port: lambda made: made.pooled(name, (Host("h", port),)),
        st.sampled_from(["a", "b"]),
        st.integers(1, 9),
    ),
    st.builds(
        lambda name, weight: lambda made: made.treated(name, "[::1]:1", weight=weight),
        NAMES,
        st.integers(1, 9),
    ),
    st.builds(
        lambda name, most: (
            lambda made: made.limited(
                name, made.limits.get(name, Limits()), {"connections": most}
            )
        ),
        NAMES,
        st.one_of(st.none(), st.integers(1, 9)),
    ),
    st.builds(
        lambda part: lambda made: made.told("debug", part), st.sampled_from(["", "net"])
    ),
)


class WrittenTests(SynchronousTestCase):
    @given(st.lists(STEPS, max_size=8))
    def test_read_again(self, steps: list[object]) -> None:
        """Any changes, written, read as the same."""
        made = Changes()
        for step in steps:
            assert callable(step)
            made = step(made)
        faults = Faults()
        tree = yaml.parse("state", made.written() or "{}", faults)
        assert tree is not None
        found = Decoder(registry(), faults).decode(Changes, tree)
        self.assertEqual(faults.warnings, ())
        faults.check()
        self.assertEqual(found, made)

    def test_no_remotes(self) -> None:
        """A tunnel that was opened may have none."""
        bare = tunnel("1=2[retries=5]")
        made = Changes().opened(type(bare)(bare.local, (), bare.options))
        faults = Faults()
        tree = yaml.parse("state", made.written(), faults)
        assert tree is not None
        self.assertEqual(Decoder(registry(), faults).decode(Changes, tree), made)
