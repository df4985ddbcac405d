"""portmux.conf as YAML, through the walker; its tree beside PyYAML's."""

from __future__ import annotations

from pathlib import Path

import yaml
from yaml.composer import ComposerError

from fuzz.configuring import Source, faults_of
from fuzz.material import require
from portmux.app.build import registry
from portmux.config.faults import Faults
from portmux.config.sources import yaml as ours
from portmux.config.tree import Items, Node, Table

CONF = Path(__file__).parent.parent.parent / "conf"

SEEDS = [path.read_bytes() for path in sorted(CONF.glob("*.conf"))]
SEEDS += [
    b"listeners: {a: {bind: ['*:1'], echo: }}\ntunnels: ['1=2']\n",
    b"listeners:\n  a:\n    bind: ${A}\n    sniff: {timeout: 1m30s, limit: 16KiB}\n"
    b"    routes:\n    - {name: r, match: {prefix: {hex: 00ff}}, close: }\n"
    b"    - {name: s, match: [tls: {sni: '*.x'}, not: ssh], forward: '[::1]:2'}\n",
    b"a: &b [1]\nc: &b [2]\nd: *b\n",
    b"a: &b [1, *b]\n'c': |\n  d\n? e\n: !f \"\\x41\\0e\"\n",
    b"listeners: {a: {bind: '*:1', respond: {status: 200, body: '\\00${EMPTY:-x}'}}}",
]

_SOURCE = Source(registry(), ".yaml")


def check(data: bytes) -> None:
    _SOURCE.check(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    faults = Faults()
    tree = ours.parse("f", text, faults)
    if tree is None or faults_of(faults):
        return
    try:
        theirs = _theirs(text)
    except ComposerError as why:
        # It wants each anchor once. An alias means the last one that came before it:
        # YAML 1.2.2 section 7.1.
        require("duplicate anchor" in str(why), f"PyYAML does not read it: {why}")
    else:
        require(_plain(tree) == (theirs or {}), "PyYAML reads it otherwise")


def _plain(node: Node) -> object:
    if isinstance(node, Table):
        return {key: _plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [_plain(value) for value in node.values]
    return node.text or {}


def _theirs(text: str) -> object:
    return _emptied(yaml.load(text, yaml.BaseLoader))


def _emptied(value: object) -> object:
    """An empty document and empty text are not told apart here."""
    if isinstance(value, dict):
        return {key: _emptied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_emptied(inner) for inner in value]
    return value or {}
