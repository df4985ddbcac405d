"""Tell which syntax a file is in, and read it."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from enum import Enum

from portmux.config.faults import Faults
from portmux.config.sources import json, portsplit, toml, yaml
from portmux.config.tree import Node, Origin, Scalar, Table


class Syntax(Enum):
    """The value is what the syntax is called on a command line."""

    YAML = "yaml"
    TOML = "toml"
    JSON = "json"
    PORTSPLIT = "portsplit"


_SUFFIXES = {
    ".yaml": Syntax.YAML,
    ".yml": Syntax.YAML,
    ".toml": Syntax.TOML,
    ".json": Syntax.JSON,
}

_PORTSPLIT = re.compile(rb"\[[^\]]*\]\s*$|[A-Za-z][A-Za-z0-9_-]*[ \t]*=")


def recognise(name: str, data: bytes) -> Syntax:
    """@return: the syntax by the file's suffix, else by its first line."""
    for suffix, syntax in _SUFFIXES.items():
        if name.endswith(suffix):
            return syntax
    lines = (line.strip() for line in re.split(rb"[\r\n]", data.removeprefix(BOM_UTF8)))
    line = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if line.startswith(b"{"):
        return Syntax.JSON
    return Syntax.PORTSPLIT if _PORTSPLIT.match(line) else Syntax.YAML


def parse(name: str, data: bytes, syntax: Syntax, faults: Faults) -> Table | None:
    """@return: None: the file cannot be read at all, see faults."""
    if syntax is Syntax.PORTSPLIT:
        return portsplit.parse(name, data, faults)
    text = _text(name, data.removeprefix(BOM_UTF8), faults)
    if text is None:
        return None
    readers = {
        Syntax.YAML: yaml.parse,
        Syntax.TOML: toml.parse,
        Syntax.JSON: json.parse,
    }
    root = readers[syntax](name, text, faults)
    return None if root is None else _table(root, faults)


def _text(name: str, data: bytes, faults: Faults) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError as wrong:
        before = data[: wrong.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        what = f"the octet {data[wrong.start]:02x} is not UTF-8"
        if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            what = "is UTF-16, not UTF-8"
        text = f"{what}, which files must be in"
        faults.add(Origin(name, line, column), text)
        return None


def _table(root: Node, faults: Faults) -> Table | None:
    if isinstance(root, Table):
        return root
    if isinstance(root, Scalar) and root.null:
        return Table(root.origin)
    what = "text" if isinstance(root, Scalar) else "a list"
    faults.add(root.origin, f"is {what}, a mapping with the key listeners is allowed")
    return None
