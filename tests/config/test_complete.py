"""Tests of configurations with all their defaults written out."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.app.inputs import inputs
from portmux.config.complete import DEFAULT, complete, shown, told
from portmux.config.limits import Ban
from portmux.config.load import Inputs, load
from portmux.config.logs import Log
from portmux.config.model import Sniff
from portmux.config.pools import Backend, Eject, Pool
from portmux.config.tree import Entry, Items, Node, Scalar, Table
from portmux.config.write import write
from portmux.core.address import Host
from portmux.core.option import Seconds
from tests.config.kinds import KINDS, Disk, loaded
from tests.config.test_load import GOOD
from tests.config.test_model import FULL, MINIMAL

ALL = {**GOOD, "full.yaml": FULL, "minimal.yaml": MINIMAL}

KINDS_OF_MATCH = """
listeners:
  a:
    bind: "*:1"
    routes:
      - name: a
        match: [ssh, {not: ssh}, {prefix: A, not: {all: [ssh, tls]}}]
        close:
      - {name: b, match: {http: {}}, exec: {command: x}}
      - {name: c, match: {source: [10.0.0.0/8]}, respond: {body: {hex: 00}}}
"""


def flat(node: Node, path: str = "") -> dict[str, str]:
    """@return: each scalar's path and text, and where it comes from."""
    if isinstance(node, Table):
        inner = [(key, entry.value) for key, entry in node.entries.items()]
    elif isinstance(node, Items):
        inner = [(str(index), value) for index, value in enumerate(node.values)]
    else:
        return {path[1:]: f"{node.text} {node.origin}"}
    return {
        k: v for key, value in inner for k, v in flat(value, f"{path}.{key}").items()
    }


class CompleteTests(SynchronousTestCase):
    def test_of_a_pool(self) -> None:
        """What a pool says has no default beside it, for that would be no value."""
        text = (
            'listeners: {a: {bind: "*:1", forward: {pool: p}},'
            ' b: {bind: "*:2", forward: {to: "h:1", pool: none}}}\n'
            'pools: {p: {backends: "h:1"}}\n'
        )
        given = inputs("x", None, [], {})
        read = attrs.evolve(given, read=lambda name: text.encode())
        tree = complete(load(read).tree, registry())
        found = flat(tree)
        self.assertNotIn("listeners.a.forward.strategy", found)
        self.assertEqual(
            found["listeners.b.forward.strategy"], "first-available default"
        )
        self.assertEqual(found["pools.p.strategy"], "round-robin default")
        again = attrs.evolve(given, read=lambda name: write(tree).encode())
        self.assertEqual(load(again).config, load(read).config)

    def test_origins(self) -> None:
        """What was said keeps its place, all else is a default."""
        found = flat(complete(loaded(MINIMAL).tree, KINDS))
        for path, text in {
            "listeners.a.bind.address": "*:1 portmux.yaml:1:23",
            "listeners.a.bind.backlog": "none default",
            "listeners.a.close.reset": "false default",
            "listeners.a.sniff.timeout": "3s default",
            "listeners.a.sniff.limit": "64KiB default",
            "listeners.a.timeouts.half-close": "1m default",
            "listeners.a.keepalive": "true default",
            "listeners.a.fallback": "none default",
            "limits.connections": "none default",
            "log.level": "info default",
            "drain": "10s default",
        }.items():
            self.assertEqual(found.get(path), text, path)

    def test_options_of_kinds(self) -> None:
        """Matchers and actions have defaults too; short forms are spelled out."""
        found = flat(complete(loaded(KINDS_OF_MATCH).tree, KINDS))
        routes = "listeners.a.routes"
        for path, start in {
            f"{routes}.0.match.2.prefix": "A portmux.yaml",
            f"{routes}.0.close.reset": "false default",
            f"{routes}.1.exec.command": "x portmux.yaml",
            f"{routes}.1.exec.pty": "false default",
            f"{routes}.2.respond.body.hex": "00 portmux.yaml",
        }.items():
            self.assertTrue(found.get(path, "").startswith(start), (path, found))

    def test_none_of_several(self) -> None:
        """An empty list or mapping is left out: written, it may be refused."""
        text = write(complete(loaded(KINDS_OF_MATCH).tree, KINDS))
        self.assertNotIn("environment", text)
        self.assertNotIn("method", text)

    def test_same_configuration(self) -> None:
        """Written out and read again, it is equal, and nothing is left to default."""
        for name, text in {**ALL, "kinds.yaml": KINDS_OF_MATCH}.items():
            before = loaded(text, name)
            whole = complete(before.tree, KINDS)
            after = loaded(write(whole, str))
            self.assertEqual(after.config, before.config, name)
            again = flat(complete(after.tree, KINDS))
            self.assertEqual([v for v in again.values() if v.endswith("default")], [])

    def test_with_the_real_kinds(self) -> None:
        kinds = registry()
        disk = Disk({name: text.encode() for name, text in GOOD.items()})
        for name in GOOD:
            given = Inputs(read=disk.read, glob=disk.glob, registry=kinds, file=name)
            before = load(given)
            text = write(complete(before.tree, kinds))
            other = Disk({"x.yaml": text.encode()})
            given = Inputs(
                read=other.read, glob=other.glob, registry=kinds, file="x.yaml"
            )
            self.assertEqual(load(given).config, before.config)

    def test_shown(self) -> None:
        self.assertEqual(shown(Seconds, 90.0), Scalar("1m30s", DEFAULT))
        self.assertEqual(shown(Ban | None, None), Scalar("none", DEFAULT))
        self.assertEqual(
            shown(tuple[int, ...], (1,)), Items(DEFAULT, (Scalar("1", DEFAULT),))
        )
        self.assertEqual(flat(shown(Log, Log()))["level"], "info default")
        self.assertEqual(flat(shown(Sniff, Sniff()))["silent"], "none default")

    def test_told(self) -> None:
        """What is usual is left out, also inside; what is left is as short as can."""
        self.assertEqual(flat(told(Sniff, Sniff())), {})
        one, two = (Backend(Host(f"10.0.0.{n}", 1)) for n in (1, 2))
        pool = Pool(backends=(one, attrs.evolve(two, weight=3)), eject=Eject(5))
        self.assertEqual(
            write(Table(DEFAULT, {"p": Entry(DEFAULT, told(Pool, pool))})),
            'p:\n  backends:\n    - "10.0.0.1:1"\n'
            '    - address: "10.0.0.2:1"\n      weight: 3\n  eject: 5\n',
        )
        never = told(Pool, attrs.evolve(pool, eject=None))
        self.assertEqual(flat(never)["eject"], "none default")
