"""The options of a tunnel, in the shape that plexy's JSON-RPC gives them."""

from __future__ import annotations

import math
from typing import Any, Final

import attrs

from portmux.config.sources.tunnel import Options
from portmux.core.option import Seconds
from portmux.core.strategies import Strategy, spelled
from portmux.errors import CommandError

_WRONG: Final = -32602
_STRATEGY: Final = 1012

_LONGEST: Final = 1000 * 86400.0
"""Seconds; as everywhere in a configuration."""

_INNER: Final = ("errors_till_dead", "connect_timeout", "dead_retry", "tls")


@attrs.frozen
class RpcOptions:
    """@ivar options: what was given of them."""

    options: Options

    @classmethod
    def of_json(cls, value: Any) -> RpcOptions:
        """@raise CommandError: this is no such object."""
        if not isinstance(value, dict):
            raise _unlike("options", "an object")
        given: dict[str, Any] = {}
        if (strategy := value.get("lb_strategy")) is not None:
            given["strategy"] = _strategy(strategy)
        if (retries := value.get("remote_connect_retries")) is not None:
            given["retries"] = _number(
                "options.remote_connect_retries", retries, 0xFFFF
            )
        if (inner := value.get("options")) is not None:
            given |= _inner(inner)
        return cls(Options(**given))

    @staticmethod
    def schema() -> dict[str, Any]:
        """@return: in the words of JSON Schema."""
        inner = {
            "type": "object",
            "required": list(_INNER),
            "properties": {
                "errors_till_dead": {"type": "integer", "minimum": 0},
                "connect_timeout": {"type": "number", "minimum": 0},
                "dead_retry": {"type": "number", "minimum": 0},
                "tls": {"type": "boolean"},
            },
        }
        return {
            "type": "object",
            "properties": {
                "lb_strategy": {"enum": [camel(strategy) for strategy in Strategy]},
                "remote_connect_retries": {"type": "integer", "minimum": 0},
                "options": inner,
            },
        }


def camel(strategy: Strategy) -> str:
    """@return: a strategy's name, as plexy writes it in JSON."""
    if strategy is Strategy.LEAST_CONNECTIONS:
        return "MinimumOpenConnections"
    return "".join(word.capitalize() for word in strategy.value.split("-"))


def _inner(value: Any) -> dict[str, Any]:
    """plexy wants all four of them, or none."""
    if not isinstance(value, dict):
        raise _unlike("options.options", "an object")
    for name in _INNER:
        if name not in value:
            text = f"options.options.{name} is missing"
            raise CommandError(_WRONG, "Invalid params", text)
    if not isinstance(value["tls"], bool):
        raise _unlike("options.options.tls", "true or false")
    return {
        "errors": _number(
            "options.options.errors_till_dead", value["errors_till_dead"]
        ),
        "timeout": _seconds(
            "options.options.connect_timeout", value["connect_timeout"]
        ),
        "check_interval": _seconds("options.options.dead_retry", value["dead_retry"]),
        "remote_tls": value["tls"],
    }


def _strategy(value: Any) -> Strategy:
    if not isinstance(value, str):
        raise _unlike("options.lb_strategy", "text")
    named = {camel(strategy): strategy for strategy in Strategy}
    found = named.get(value) or spelled(value)
    if found is None:
        raise CommandError(_STRATEGY, f"Invalid load balancing strategy: {value}")
    return found


def _number(name: str, value: Any, most: int = 0xFFFF_FFFF_FFFF_FFFF) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise _unlike(name, f"a whole number, 0 to {most}")
    return value


def _seconds(name: str, value: Any) -> Seconds:
    number = float(value) if type(value) in (int, float) else math.nan
    if not 0 <= number <= _LONGEST:
        raise _unlike(name, f"a number of seconds, 0 to {_LONGEST:.0f}")
    return Seconds(number)


def _unlike(name: str, allowed: str) -> CommandError:
    return CommandError(_WRONG, "Invalid params", f"{name} is not {allowed}")
