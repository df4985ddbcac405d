"""Properties of every source of configuration, through the walker to the model."""

from __future__ import annotations

import re

from fuzz.material import require
from portmux.config.faults import Faults
from portmux.config.load import Inputs, Loaded, load
from portmux.config.write import write
from portmux.core.registry import Registry
from portmux.errors import ConfigError

_FILE = "portmux.conf"

_FAULT = re.compile(rf"{re.escape(_FILE)}(?:\.[a-z]+)?(?::(\d+))?(?::\d+)?: .")

_LINE_END = re.compile(rb"\r\n|\r|\n|\xc2\x85|\xe2\x80[\xa8\xa9]")

ENVIRON = {"A": "127.0.0.1:1", "EMPTY": ""}


class Source:
    """A way to write a configuration. @ivar suffix: of its files."""

    def __init__(self, registry: Registry, suffix: str) -> None:
        self._registry = registry
        self._name = _FILE + suffix

    def check(self, data: bytes) -> Loaded | None:
        """
        Load it, write it as YAML, and load that: it has to mean the same.

        @return: None: it has faults, each of them told in one line.
        """
        try:
            loaded = self._load(self._name, data)
        except ConfigError as wrong:
            for fault in wrong.faults:
                _check_fault(fault, data)
            return None
        for warning in loaded.warnings:
            _check_fault(warning, data)
        text = write(loaded.tree)
        again = self._load(f"{_FILE}.yaml", text.encode())
        require(again.config == loaded.config, "written it means another", text)
        return loaded

    def _load(self, name: str, data: bytes) -> Loaded:
        def read(path: str) -> bytes:
            if path != name:
                raise FileNotFoundError(2, "No such file or directory", path)
            return data

        return load(
            Inputs(
                read=read,
                glob=lambda pattern: [],
                registry=self._registry,
                file=name,
                environ=ENVIRON,
            )
        )


def faults_of(faults: Faults) -> tuple[str, ...]:
    """@return: what is wrong, if anything."""
    try:
        faults.check()
    except ConfigError as wrong:
        return wrong.faults
    return ()


def _check_fault(fault: str, data: bytes) -> None:
    require(fault.isprintable(), "a fault with strange characters", fault)
    found = _FAULT.match(fault)
    require(found is not None, "a fault without a place", fault)
    assert found is not None
    lines = len(_LINE_END.findall(data)) + 1
    require(1 <= int(found[1] or 1) <= lines, "a line that is not there", fault)
