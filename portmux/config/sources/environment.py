"""
Read settings from environment variables.

C{PORTMUX__LISTENERS__FRONT__BIND__0} is the first address of the listener
C{front}: keys without case, C{_} is C{-}, positions in lists are numbers. The
value is YAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portmux.config.faults import Faults
from portmux.config.sources import yaml
from portmux.config.sources.place import DEEPEST, TOO_DEEP
from portmux.config.tree import Node, Origin, Path, position

PREFIX = "PORTMUX__"


def settings(environ: Mapping[str, str], faults: Faults) -> Iterator[tuple[Path, Node]]:
    """@return: path and value of each variable; inner ones behind those around them."""
    for path, name in sorted((_path(n), n) for n in environ if n.startswith(PREFIX)):
        origin = Origin(f"environment {name}")
        steps = tuple(step for _, step in path)
        if not all(steps) or len(steps) > DEEPEST:
            wrong = TOO_DEEP if all(steps) else "a key in it is empty"
            faults.add(origin, f"is not {PREFIX}KEY__KEY, {wrong}")
            continue
        value = yaml.fragment(origin, environ[name], faults)
        if value is not None:
            yield steps, value


def _path(name: str) -> tuple[tuple[int, str], ...]:
    """@return: the keys, each with its number, so that 10 follows 9."""
    steps = name.removeprefix(PREFIX).split("__")
    numbers = (position(step) for step in steps)
    return tuple(
        (-1 if n is None else n, s) for n, s in zip(numbers, steps, strict=True)
    )
