"""
What the JSON-RPC methods are, in the words of OpenRPC.

@see: https://spec.open-rpc.org
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portmux import __version__
from portmux.control.spell import Command, Parameter


def described(table: Sequence[Command]) -> dict[str, Any]:
    """@return: an OpenRPC document."""
    return {
        "openrpc": "1.2.6",
        "info": {"title": "portmux", "version": __version__},
        "methods": [_method(each) for each in table if each.method is not None],
    }


def _method(command: Command) -> dict[str, Any]:
    return {
        "name": command.method,
        "summary": command.help,
        "paramStructure": "either",
        "params": [_parameter(each) for each in command.parameters],
        "result": {"name": "result", "schema": {}},
    }


def _parameter(each: Parameter) -> dict[str, Any]:
    return {
        "name": each.name,
        "summary": each.help,
        "required": each.needed,
        "schema": each.schema(),
    }
