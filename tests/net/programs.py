"""Real programs for tests, with what they write kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from portmux.net.child import Child
from portmux.net.process import Command, start
from tests.net.polled import Polled

DRAIN = "cat >/dev/null"
"""Shell: run until there is no more input."""


class Kept:
    """What came from one output of a program."""

    def __init__(self) -> None:
        self.data = b""
        self.ends = 0

    def received(self, data: bytes) -> None:
        self.data += data

    def ended(self) -> None:
        self.ends += 1


class Run:
    """
    A program that was started on a polled reactor.

    @ivar output: its standard output; C{errors}: its standard error.
    """

    def __init__(self, *arguments: str, **options: Any) -> None:
        self.reactor = Polled()
        self.output = Kept()
        self.errors = Kept()
        command = Command(
            arguments=arguments,
            environment=options.pop("environment", os.environ),
            **options,
        )
        child = start(command, self.reactor, self.output, self.errors)
        assert isinstance(child, Child), child
        self.child = child

    def until_written(self, data: bytes) -> None:
        """Turn until the output so far ends with C{data}."""
        self.reactor.until(lambda: self.output.data.endswith(data))

    def end(self) -> str:
        """
        Turn until all is over.

        @return: how the program ended.
        """
        over: list[object] = []
        self.child.wait().addCallback(over.append)
        self.reactor.until(lambda: over)
        return str(over[0])

    def discard(self) -> None:
        """Kill what is left of it."""
        self.child.kill()
        self.end()


def shell(code: str, **options: Any) -> Run:
    """Run a script of the shell."""
    return Run("sh", "-c", code, **options)


def facts(pid: int, file: str = "status") -> Mapping[str, str]:
    """@return: what C{/proc} says of a process, by the line's first word."""
    with open(f"/proc/{pid}/{file}") as lines:
        return dict(line.strip().split(":", 1) for line in lines if ":" in line)


def is_alive(pid: int) -> bool:
    """@return: whether there is such a process, and it is no zombie."""
    try:
        return facts(pid)["State"].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
