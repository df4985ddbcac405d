"""The command line of tcp-multiplexer: few connections for many clients."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from portmux.config.faults import guess, listed, quoted
from portmux.config.quantities import show_seconds
from portmux.config.sockets import bind_host
from portmux.core.address import Host
from portmux.errors import ConfigError

NAME: Final = "tcp-multiplexer"
"""Of the listener, for records and for settings."""

PROTOCOLS: Final[Mapping[str, str]] = {
    "echo": "line",
    "http": "{http: {limit: 65600KiB, answer-limit: 65600KiB}}",
    "iso8583": "iso8583",
    "modbus": "modbus",
    "mpu": "mpu",
}
"""
By tcp-multiplexer's names, what portmux.conf has for them.

There, content of HTTP may have 64 MiB; what is more here is for the head.
"""

_SECONDS: Final[Mapping[str, float]] = {
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "\xb5s": 1e-6,
    "\u03bcs": 1e-6,
    "ns": 1e-9,
}
_PART: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ms|[h\u03bc\xb5un]?s|h|m)")
_DURATION: Final = re.compile(rf"\+?(?:0|(?:{_PART.pattern})+)")

_LISTEN: Final = Host("*", 8000)
_TARGET: Final = Host("127.0.0.1", 1234)

_SHORTEST: Final = 0.001
"""Seconds; a shorter pause would be none."""


def duration(text: str) -> float:
    """
    Read a duration as Go writes them.

    @return: seconds.
    @raise ValueError: it is none, or a negative one.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a duration such as 500ms, 1s or 1m30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def listen(text: str) -> Host:
    """
    @return: for a port alone, every address of both families.
    @raise ValueError: neither C{PORT} nor C{HOST:PORT}.
    """
    return bind_host(f"*:{text}" if text.isdigit() else text)


@attrs.frozen(kw_only=True)
class Server:
    """
    What C{server} is told; times are seconds.

    @ivar timeout: for a whole request, and for a whole answer.
    @ivar delay: from connecting to the target to the first request.
    @ivar backoff: from a failure to the next attempt to connect.
    @ivar check: silence after which the target is asked whether it is there.
    """

    listen: Host = _LISTEN
    target: Host = _TARGET
    protocol: str = "echo"
    timeout: int = 60
    delay: float = 0.0
    connections: int = 1
    backoff: float = 1.0
    check: float = 30.0
    queue: int = 32
    level: str = "warn"

    def settings(self) -> Iterator[str]:
        """
        @return: C{PATH=VALUE}: what a portmux.conf would say.
        @raise ConfigError: there is no such protocol.
        """
        if self.protocol not in PROTOCOLS:
            text = f"{quoted(self.protocol)} is no protocol, allowed: "
            text += listed(PROTOCOLS) + guess(self.protocol, PROTOCOLS)
            raise ConfigError([f"--applicationProtocol: {text}"])
        yield f"listeners.{NAME}.bind={json.dumps(str(self.listen))}"
        for key, value in self._options():
            yield f"listeners.{NAME}.mux.{key}={value}"
        yield f"log.level={self.level}"
        yield f"drain={show_seconds(self.timeout)}"
        yield "hangup=drain"

    def _options(self) -> Iterator[tuple[str, str]]:
        yield "protocol", PROTOCOLS[self.protocol]
        yield "to", json.dumps(str(self.target))
        yield "connections", str(max(1, self.connections))
        yield "connect.at-start", "true"
        yield "connect.delay", show_seconds(self.delay)
        yield "connect.backoff", show_seconds(max(_SHORTEST, self.backoff))
        check = math.ceil(self.check)
        yield "connect.keepalive", show_seconds(check) if check else "none"
        yield "queue.size", str(max(1, self.queue))
        yield "timeouts.answer", show_seconds(self.timeout)
        yield "timeouts.request", show_seconds(self.timeout)
        yield "log.numbers", "1m"
        if self.level == "debug":
            yield "log.octets", "true"
