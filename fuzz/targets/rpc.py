"""JSON-RPC: whatever is asked, the answer is one of JSON-RPC, and is JSON."""

from __future__ import annotations

import json
from typing import Any

from fuzz.material import require
from portmux.control.commands import ALL
from portmux.control.jsonrpc import BATCH, answer
from portmux.errors import CommandError

SEEDS = [
    b'{"jsonrpc":"2.0","id":1,"method":"openTunnel","params":["7000",["7001"],null]}',
    b'[{"jsonrpc":"2.0","id":"a","method":"remotes","params":{"tunnelSocket":"1"}},1]',
    b'{"jsonrpc":"2.0","method":"weighBackend","params":["p","b",5]}',
    b'{"jsonrpc":"2.0","id":2,"method":"openTunnel","params":{"tunnel_socket":"1",'
    b'"remotes":[],"options":{"lb_strategy":"Random","options":{"tls":true,'
    b'"errors_till_dead":1,"connect_timeout":1.5,"dead_retry":1}}}}',
    b'{"jsonrpc":"2.0","id":null,"method":"rpc.discover"}',
    b"[" * 64,
]


def check(data: bytes) -> None:
    done: list[Any] = []

    def carry_out(command: Any) -> Any:
        done.append(command)
        if len(done) % 2:
            raise CommandError(1, "odd")
        return None

    found = answer(data, ALL, carry_out)
    require(len(done) <= BATCH, "too many", len(done))
    if found is None:
        return
    told = json.loads(found)
    for each in told if isinstance(told, list) else [told]:
        require(each["jsonrpc"] == "2.0", "version", each)
        require(("error" in each) != ("result" in each), "result", each)
        require(type(each["id"]) in (str, int, float, type(None)), "id", each)
        error = each.get("error", {"code": 0, "message": ""})
        require(type(error["code"]) is int, "code", error)
