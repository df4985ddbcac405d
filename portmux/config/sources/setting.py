"""Read C{--set PATH=VALUE}: keys joined by dots, and a value in YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from portmux.config.faults import Faults, quoted
from portmux.config.sources import yaml
from portmux.config.sources.place import DEEPEST, TOO_DEEP
from portmux.config.tree import Node, Origin, Path

_STEP = re.compile(r'"([^"]*)"|([^".=]+)')
_PATH = re.compile(rf"({_STEP.pattern})(?:\.({_STEP.pattern}))*")


def settings(given: Iterable[str], faults: Faults) -> Iterator[tuple[Path, Node]]:
    """@return: path and value of each setting, in given order."""
    for setting in given:
        found = _PATH.match(setting)
        if found is None or setting[found.end() : found.end() + 1] != "=":
            origin = Origin("--set")
            text = f"{quoted(setting)} is not PATH=VALUE, such as drain=30s"
            faults.add(origin, f'{text}; a key with a dot stands in "double quotes"')
            continue
        path = tuple(inside or bare for inside, bare in _STEP.findall(found[0]))
        origin = Origin(f"--set {found[0]}", said=path)
        if len(path) > DEEPEST:
            faults.add(origin, TOO_DEEP)
            continue
        value = yaml.fragment(origin, setting[found.end() + 1 :], faults)
        if value is not None:
            yield path, value
