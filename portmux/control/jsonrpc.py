"""
JSON-RPC 2.0: requests, notifications and batches, as octets in and out.

@see: https://www.jsonrpc.org/specification
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, Final, NoReturn

from portmux.control.discover import described
from portmux.control.spell import Command, of_json
from portmux.errors import CommandError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600

BATCH: Final = 100
"""Requests of a batch at most (taste): their answers are held until all are done."""

CarryOut = Callable[[Any], Any]
"""Given a command, gives what JSON has of its reply; raises CommandError."""


def answer(data: bytes, table: Sequence[Command], carry_out: CarryOut) -> bytes | None:
    """@return: None: nobody wants an answer."""
    try:
        asked = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _spelled(_failed(CommandError(PARSE_ERROR, "Parse error"), None))
    if not isinstance(asked, list):
        one = _one(asked, table, carry_out)
        return None if one is None else _spelled(one)
    if not asked or len(asked) > BATCH:
        why = f"there are {len(asked)} requests, 1 to {BATCH} are allowed"
        return _spelled(_failed(CommandError(INVALID_REQUEST, _REQUEST, why), None))
    answers = [_one(each, table, carry_out) for each in asked]
    wanted = [each for each in answers if each is not None]
    return _spelled(wanted) if wanted else None


_REQUEST: Final = "Invalid request"


def _one(
    asked: Any, table: Sequence[Command], carry_out: CarryOut
) -> dict[str, Any] | None:
    if not isinstance(asked, dict):
        return _failed(CommandError(INVALID_REQUEST, _REQUEST), None)
    number = asked.get("id")
    known = number is None or type(number) in (str, int) or _is_number(number)
    method, params = asked.get("method"), asked.get("params")
    good = known and asked.get("jsonrpc") == "2.0" and isinstance(method, str)
    if not good or not isinstance(params, list | dict | None):
        wrong = CommandError(INVALID_REQUEST, _REQUEST)
        return _failed(wrong, number if known else None)
    assert isinstance(method, str)
    try:
        if method == "rpc.discover":
            result: Any = described(table)
        else:
            result = carry_out(of_json(table, method, params))
    except CommandError as error:
        failed = _failed(error, number)
        return failed if "id" in asked else None
    return {"jsonrpc": "2.0", "result": result, "id": number} if "id" in asked else None


def _is_number(number: Any) -> bool:
    """@return: whether JSON can say it: 1e999 is read, and is no number."""
    return isinstance(number, float) and isfinite(number)


def _failed(error: CommandError, number: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"code": error.code, "message": str(error)}
    if error.data:
        told["data"] = error.data
    return {"jsonrpc": "2.0", "error": told, "id": number}


def failed(code: int, text: str) -> bytes:
    """@return: the answer to what is no request."""
    return _spelled(_failed(CommandError(code, text), None))


def _spelled(answered: Any) -> bytes:
    return json.dumps(answered, separators=(",", ":")).encode()


def _refuse(constant: str) -> NoReturn:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)
