"""
Replace C{${NAME}} in scalars by what the environment says.

C{${NAME:-x}} is C{x} where the variable is unset or empty; C{$${} is a literal
C{${}. Keys are never replaced, nor are numbers of TOML and JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from portmux.config.faults import Faults, guess
from portmux.config.tree import Entry, Items, Node, Path, Scalar, Style, Table

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{")


def expand(
    node: Node, environ: Mapping[str, str], faults: Faults, path: Path = ()
) -> Node:
    """
    @return: the same tree, with its references replaced; a scalar with a faulty
        one is broken, so that nothing else is said of it.
    """
    if isinstance(node, Table):
        entries = {
            key: Entry(entry.origin, expand(entry.value, environ, faults, (*path, key)))
            for key, entry in node.entries.items()
        }
        return Table(node.origin, entries)
    if isinstance(node, Items):
        values = enumerate(node.values)
        return Items(
            node.origin,
            tuple(expand(v, environ, faults, (*path, str(i))) for i, v in values),
        )
    return _scalar(node, environ, faults, path)


def _scalar(
    node: Scalar, environ: Mapping[str, str], faults: Faults, path: Path
) -> Scalar:
    wrong: list[str] = []

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        if found[0] == "$${":
            return "${"
        if name is None:
            wrong.append("${ is not followed by NAME} or NAME:-TEXT}, $${ is literal")
            return ""
        if found[2] is not None:
            return environ.get(name) or found[3]
        if name not in environ:
            hint = guess(name, environ)
            wrong.append(f"${{{name}}} is not set, ${{{name}:-TEXT}} may be{hint}")
        return environ.get(name, "")

    text = _REFERENCE.sub(replace, node.text)
    if wrong:
        for each in wrong:
            faults.add(node.origin, each, path)
        return attrs.evolve(node, style=Style.BROKEN)
    return node if text == node.text else attrs.evolve(node, text=text)


def literal(text: str) -> str:
    """@return: text that L{expand} makes into this."""
    return text.replace("${", "$${")
