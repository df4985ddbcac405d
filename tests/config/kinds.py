"""A registry with the real matchers and small actions, and faults made easy to ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from posixpath import normpath

import attrs

import portmux.core.frame
import portmux.core.match
from portmux.config.faults import Faults
from portmux.config.load import Inputs, Loaded, load
from portmux.core.address import Address
from portmux.core.option import Seconds, option
from portmux.core.plan import Closing, Plan
from portmux.core.registry import Registry
from portmux.errors import ConfigError

NOTHING = "listeners: there are neither listeners nor tunnels, one is needed"
"""What is said of a configuration that does nothing."""


@attrs.frozen
class Close:
    """An action without required options."""

    reset: bool = option("end with RST", default=False)

    def plan(self) -> Plan:
        return Closing(self.reset)


@attrs.frozen
class Connect:
    """Options inside an action."""

    timeout: Seconds = option("for one attempt", default=10.0)


@attrs.frozen
class Forward:
    """An action that may be written as its value."""

    to: tuple[Address, ...] = option("where to", value=True)
    connect: Connect = option("how", factory=Connect)

    def plan(self) -> Plan:
        return Closing()


@attrs.frozen
class Exec:
    """An action with a list of words."""

    command: tuple[str, ...] = option("the words", value=True)
    pty: bool = option("a terminal", default=False)
    environment: Mapping[str, str] = option("variables", factory=dict)

    def plan(self) -> Plan:
        return Closing()


@attrs.frozen
class Respond:
    """An action that takes bytes."""

    body: bytes = option("sent as it is", value=True)

    def plan(self) -> Plan:
        return Closing()


def registry() -> Registry:
    """@return: every matcher of portmux, and the actions above."""
    kinds = Registry()
    kinds.load(portmux.core.match)
    kinds.load(portmux.core.frame)
    for kind in (Close, Forward, Exec, Respond):
        kinds.action(kind.__name__.lower(), kind)
    return kinds


KINDS = registry()


@attrs.frozen
class Disk:
    """@ivar files: contents by name."""

    files: Mapping[str, bytes]

    def read(self, name: str) -> bytes:
        found = self.files.get(normpath(name))
        if found is None:
            raise FileNotFoundError(2, "No such file or directory", name)
        return found

    def glob(self, pattern: str) -> list[str]:
        """Patterns end in a star and a suffix; found in no order of use."""
        start, end = pattern.split("*")
        found = (n for n in self.files if n.startswith(start) and n.endswith(end))
        return sorted(found, reverse=True)


def inputs(
    text: str | bytes | None,
    name: str = "portmux.yaml",
    *,
    environ: Mapping[str, str] | None = None,
    settings: Iterable[str] = (),
    others: Mapping[str, bytes] | None = None,
) -> Inputs:
    """@return: a file of that text and name, beside others."""
    data = text.encode() if isinstance(text, str) else text
    main = {} if data is None else {name: data}
    disk = Disk({**main, **(others or {})})
    return Inputs(
        read=disk.read,
        glob=disk.glob,
        registry=KINDS,
        file=None if data is None else name,
        settings=tuple(settings),
        environ=environ or {},
    )


def loaded(
    text: str | bytes, name: str = "portmux.yaml", kinds: Registry = KINDS
) -> Loaded:
    return load(attrs.evolve(inputs(text, name), registry=kinds))


def faults_of(given: Inputs) -> list[str]:
    """@return: the lines of the ConfigError; none if it loads."""
    try:
        load(given)
    except ConfigError as error:
        return list(error.faults)
    return []


def told(faults: Faults) -> list[str]:
    """@return: the lines of the faults."""
    try:
        faults.check()
    except ConfigError as error:
        return list(error.faults)
    return []
