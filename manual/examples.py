"""Examples of what no declaration gives one for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MATCHERS: Final[Mapping[str, str]] = {
    "all": "match: {all: [tls, {source: 10.0.0.0/8}]}",
    "any": 'match: {any: [ssh, {prefix: "HELO "}]}',
    "not": "match: {not: {source: 10.0.0.0/8}}",
    "tls": 'match: {tls: {sni: ["*.example.org", example.org], alpn: [h2, http/1.1]}}',
    "http": 'match: {http: {method: [GET, HEAD], host: example.org, path: "/api/*"}}',
}
"""By name; the others show what their options' own examples say."""

ACTIONS: Final[Mapping[str, str]] = {
    "close": "close:",
    "exec": "exec: {command: [cat, /etc/motd], user: nobody, max-time: 1m}",
    "forward": 'forward: {to: ["10.0.0.5:443", "unix:/run/b"], connect: {timeout: 2s}}',
    "mux": 'mux: {protocol: modbus, to: "10.0.0.9:502", timeouts: {answer: 3s}}',
    "respond": 'respond: {status: 503, body: "back soon\\n"}',
}

PROTOCOLS: Final[Mapping[str, str]] = {
    "http": 'mux: {protocol: {http: {limit: 64KiB}}, to: "10.0.0.9:80"}',
    "iso8583": 'mux: {protocol: iso8583, to: "10.0.0.9:7000"}',
    "length-prefix": """\
mux:
  protocol: {length-prefix: {width: 4, offset: 1, counts: length}}
  to: "10.0.0.9:4000\"""",
    "line": 'mux: {protocol: {line: {limit: 4KiB}}, to: "10.0.0.9:4000"}',
    "modbus": """\
mux:
  protocol: {modbus: {units: {1: 17}, share: true, cache: 2s}}
  to: "10.0.0.9:502\"""",
    "modbus-rtu": """\
mux:
  protocol: {modbus-rtu: {access: [{functions: write, then: refuse}]}}
  to: "10.0.0.9:4001\"""",
    "mpu": 'mux: {protocol: mpu, to: "10.0.0.9:7000"}',
}

COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "check": (
        "portmux check -c portmux.conf",
        "portmux check -c portmux.conf --probe",
    ),
    "completion": (
        "portmux completion bash > ~/.local/share/bash-completion/completions/portmux",
    ),
    "config": ("portmux config -c portmux.conf --set log.level=debug",),
    "convert": (
        "portmux convert --from portsplit portsplit.conf",
        "portmux convert --from tcp-multiplexer server -p modbus -t 10.0.0.9:502",
    ),
    "ctl": (
        "portmux ctl backends",
        "portmux ctl drain git 10.0.0.5:443",
        "portmux ctl --json sessions route=web limit=10",
    ),
    "explain": (
        r"portmux explain -c portmux.conf --text 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'",
        "portmux explain --listener front --source 10.1.1.1:4000 --hex 16030100",
    ),
    "plexy": (
        "portmux plexy -c 127.0.0.1:9999 5432=db1:5432,db2:5432[retries=2]",
        "portmux plexy -r 127.0.0.1:9998 --prometheus-socket 127.0.0.1:9997 3000=3001",
    ),
    "portsplit": ("portmux portsplit portsplit.conf",),
    "run": (
        "portmux run -c portmux.conf",
        "portmux run --listen :8443 ssh=127.0.0.1:22 tls=127.0.0.1:8444",
        "portmux run 3000=10.0.0.5:80,10.0.0.6:80",
    ),
    "tcp-multiplexer": (
        "portmux tcp-multiplexer server -p modbus -t 10.0.0.9:502 -l 5020",
        "portmux tcp-multiplexer list",
    ),
    "schema": ("portmux schema > portmux.schema.json",),
}
