"""portmux.conf as JSON, through the walker; its tree beside the standard library's."""

from __future__ import annotations

import json
from typing import Any

from fuzz.configuring import Source, faults_of
from fuzz.material import require
from portmux.app.build import registry
from portmux.config.faults import Faults
from portmux.config.sources import json as ours
from portmux.config.tree import Items, Node, Style, Table

SEEDS = [
    b'{"tunnels": ["1=127.0.0.1:2"]}',
    b'{"listeners": {"a": {"bind": ["*:1"], "echo": null, "sniff": {"timeout": 3}}}}',
    b'{"listeners": {"a": {"bind": "${A}", "routes": [{"name": "r", "match":'
    b' {"prefix": {"hex": "00ff"}}, "close": {}}]}}}',
    b'[-1.5e3, true, false, null, "\\u00e9\\ud83d\\ude00\\n", {}, []]',
]

_SOURCE = Source(registry(), ".json")

_DEEPEST = 60


class _Other(ValueError):
    """What we do not allow, and the library does."""


def check(data: bytes) -> None:
    _SOURCE.check(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    faults = Faults()
    tree = ours.parse("f", text, faults)
    sound = tree is not None and not faults_of(faults)
    try:
        theirs = json.loads(
            text,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_refuse,
            object_pairs_hook=_table,
        )
    except (ValueError, RecursionError) as wrong:
        require(not sound or isinstance(wrong, _Other), "json refuses it", wrong)
        return
    if not sound:
        require(_depth(theirs) > _DEEPEST, "json reads it", faults_of(faults))
        return
    assert tree is not None
    require(_plain(tree) == _typed(theirs), "json reads it otherwise")


class _Number(str):
    """As it was written."""


def _refuse(name: str) -> object:
    raise _Other(name)


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise _Other("a key stands twice")
    return dict(pairs)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, inner), default=0)


def _plain(node: Node) -> object:
    if isinstance(node, Table):
        return {key: _plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [_plain(value) for value in node.values]
    return node.style is Style.TYPED, node.text


def _typed(value: Any) -> object:
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    if isinstance(value, str):
        return isinstance(value, _Number), str(value)
    return True, json.dumps(value)
