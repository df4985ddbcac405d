"""Tests of the JSON Schema: it takes what portmux takes, and points at mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.config.complete import complete
from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.model import Config
from portmux.config.schema import SCALARS, plain, schema
from portmux.config.sources.syntax import Syntax, parse
from portmux.config.tree import Origin, Scalar, Style, Table
from portmux.config.values import LEAVES
from portmux.config.write import write

ROOT = Path(__file__).parents[2]
KINDS = registry()
SCHEMA = schema(KINDS)
VALIDATOR = Draft202012Validator(SCHEMA)
VALUES = {
    kind: Draft202012Validator({"anyOf": schemas})
    for kind, (_, schemas) in SCALARS.items()
}

FAULTY = [
    "listeners: {front: {bind: '*:1', routs: []}}",
    "listeners: {front: {bind: '*:1', echo: , close: }}",
    "listeners: {front: {bind: 'localhost', echo: }}",
    "listeners: {front: {bind: ':::1', echo: }}",
    "listeners: {front: {echo: }}",
    "listeners: {'a b': {bind: '*:1', echo: }}",
    "listeners: {front: {bind: '*:1', forward: {tls: 5}}}",
    "listeners: {front: {bind: '*:1', forward: 'backend'}}",
    "listeners: {front: {bind: '*:1', exec: }}",
    "listeners: {front: {bind: '*:1', fallback: drop}}",
    "listeners: {front: {bind: '*:1', fallback: {echo: , close: }}}",
    "listeners: {front: {bind: '*:1', routes: [{name: a, match: sssh, echo: }]}}",
    "listeners: {front: {bind: '*:1', routes: [{name: a, match: prefix, echo: }]}}",
    "listeners: {front: {bind: '*:1', routes: [{name: a, match: {}, echo: }]}}",
    "listeners: {front: {bind: '*:1', routes: [{match: ssh, echo: }]}}",
    "listeners: {front: {bind: '*:1', routes: [{name: a, match: ssh}]}}",
    "listeners: {front: {bind: '*:1', echo: , sniff: {timeout: 3 s}}}",
    "listeners: {front: {bind: '*:1', echo: , sniff: {timeout: -3}}}",
    "listeners: {front: {bind: '*:1', echo: , sniff: {limit: 16 KBit}}}",
    "listeners: {front: {bind: '*:1', echo: , limits: {connections: many}}}",
    "listeners: {front: {bind: '*:1', echo: , keepalive: yes}}",
    "listeners: {front: {bind: '*:1', close: {reset: 1}}}",
    "listeners: {front: {bind: [['*:1']], echo: }}",
    "listeners: []",
    "log: {level: verbose}",
    "log: {format: none}",
    "include: {file: a}",
    "mappings: {}",
]
"""Each has one fault, of a kind that editors can show."""

ACCEPTED = [
    "include: [conf.d/*.conf]",
    "log: {level: debug}",
    "drain: none",
    "drain: null",
    "drain: 0.5",
    "listeners: {front: {bind: '*:1', echo: }}",
    "listeners: {front: {bind: '*:1', close: {reset: true}}}",
    "listeners: {front: {bind: {address: 'unix:/s', mode: 0660}, echo: }}",
    "listeners: {front: {bind: '*:1', discard: , limits: {ban: 5}}}",
    "listeners: {front: {bind: '*:1', discard: , keepalive: '${KEEP}'}}",
    "listeners: {front: {bind: '*:1', respond: 'no'}}",
    "listeners: {front: {bind: '*:1', respond: {bytes: {hex: 00ff}}}}",
    "listeners: {front: {bind: '*:1', exec: [cat, /etc/motd]}}",
    "pools: {git: {backends: ['a:1', {address: 'b:1', weight: 2}], eject: none}}",
    "pools: {git: {backends: 'a:1', tls: , queue: 5, strategy: roundrobin}}",
    "listeners: {front: {bind: '*:1', routes: [{name: 5, match: ssh, echo: }]}}",
    "listeners: {front: {bind: '*:1', routes: "
    "[{name: a, match: [ssh, {not: {prefix: {hex: 16}}}], echo: }]}}",
    "listeners: {front: {bind: '*:1', routes: "
    "[{name: a, match: {source: [10.0.0.0/8], http: }, echo: }]}}",
]
"""Spellings that are easily forgotten; portmux takes each of them."""


def read(text: str) -> Table:
    faults = Faults()
    tree = parse("portmux.conf", text.encode(), Syntax.YAML, faults)
    faults.check()
    assert tree is not None
    return tree


def complaints(value: Any) -> list[str]:
    """@return: what an editor would show."""
    return [error.message for error in VALIDATOR.iter_errors(value)]


class SchemaTests(SynchronousTestCase):
    def test_is_a_schema(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)

    def test_faults(self) -> None:
        """Everything here is refused, by portmux too."""
        for text in FAULTY:
            self.assertTrue(complaints(plain(read(text))), text)
            faults = Faults()
            tree = read(text)
            if "include" not in tree.entries:
                Decoder(KINDS, faults).decode(Config, tree)
                self.assertTrue(faults, text)

    def test_spellings(self) -> None:
        for text in ACCEPTED:
            self.assertEqual(complaints(plain(read(text))), [], text)

    def test_example_configuration(self) -> None:
        text = (ROOT / "conf" / "portmux.conf").read_text()
        self.assertEqual(complaints(plain(read(text))), [])

    def test_defaults_written_out(self) -> None:
        """What C{portmux config} prints is taken too."""
        for name in ("conf/portmux.conf", "docs/configuration.md"):
            text = (ROOT / name).read_text()
            if name.endswith(".md"):
                text = text.partition("```yaml\n")[2].partition("```")[0]
            whole = write(complete(read(text), KINDS))
            self.assertIn("half-close", whole)
            self.assertEqual(complaints(plain(read(whole))), [])

    def test_every_kind_is_there(self) -> None:
        """A matcher or an action is offered, with what it is."""
        for sort, kinds in (("matcher", KINDS.matchers), ("action", KINDS.actions)):
            for name in kinds:
                self.assertTrue(SCHEMA["$defs"][f"{sort}.{name}"]["description"])

    def test_examples_and_defaults(self) -> None:
        """What the schema itself shows fits where it stands."""
        seen = 0
        for node in each(SCHEMA):
            inner = Draft202012Validator({**node, "$defs": SCHEMA["$defs"]})
            for value in [*node.get("examples", []), *defaults(node)]:
                seen += 1
                found = [error.message for error in inner.iter_errors(value)]
                self.assertEqual(found, [], node)
        self.assertGreater(seen, 60)


def each(node: Any) -> list[dict[str, Any]]:
    """@return: every part of the schema that is a schema of an option."""
    found = []
    if isinstance(node, dict):
        if isinstance(node.get("description"), str):
            found.append(node)
        for inner in node.values():
            found += each(inner)
    elif isinstance(node, list):
        for inner in node:
            found += each(inner)
    return found


def defaults(node: dict[str, Any]) -> list[Any]:
    return [node["default"]] if "default" in node else []


class ScalarTests(SynchronousTestCase):
    """An editor marks no value that portmux reads."""

    def test_every_kind_of_value(self) -> None:
        """Those that values.py knows, and some texts that each of them reads."""
        texts = [
            *("0", "1.5", "-3", "1e3", "007", "true", "false", "a b", "a-b_.c", ""),
            *("500ms", "3s", "1m30s", "1d2h", "2m5ms", "16KiB", "10 MB", "5kB"),
            *("*:1", "a:1", "1.2.3.4:5", "[::1]:2", "unix:/a b", "systemd:x", "é:1"),
        ]
        for kind in LEAVES:
            for text in texts:
                self.hold(kind, text)

    @given(st.sampled_from(list(LEAVES)), st.text(max_size=12))
    @example(str, "\n")
    def test_noise(self, kind: Any, text: str) -> None:
        self.hold(kind, text)

    def hold(self, kind: Any, text: str) -> None:
        """Whatever portmux reads, in quotes or bare, fits the schema."""
        for style in (Style.QUOTED, Style.PLAIN):
            node = Scalar(text, Origin("here"), style)
            if node.null:
                continue
            faults = Faults()
            Decoder(KINDS, faults).decode(kind, node)
            if not faults:
                valid = VALUES[kind].is_valid(plain(node))
                self.assertTrue(valid, (kind, text, style))
