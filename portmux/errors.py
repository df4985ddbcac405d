"""Every exception portmux raises on purpose, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence


class PortmuxError(Exception):
    """Root of the tree; catch it at a border, never in the middle."""


class Malformed(PortmuxError):
    """The peer's bytes cannot be the protocol a parser was asked about."""


class PoolError(PortmuxError):
    """What an operator wants of a pool cannot be done; says why."""


class ConfigError(PortmuxError):
    """
    A configuration that cannot be used.

    @ivar faults: every fault found, one line each: C{where: path: what is
        wrong, what is allowed}.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class ExtensionError(PortmuxError):
    """An extension, or a built-in kind, that cannot be registered."""


class CommandError(PortmuxError):
    """
    A command that was not carried out.

    @ivar code: JSON-RPC's code for it.
    @ivar data: what more there is to say to JSON-RPC's clients.
    """

    def __init__(self, code: int, text: str, data: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.data = data
