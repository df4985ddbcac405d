"""
Sets of IP addresses and of ports, written as people write them.

An IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) is the IPv4 address in
it, in sets as in clients.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import attrs

from portmux.core.address import Address, Host
from portmux.core.option import option

_ALLOWED = "an address, a network like 10.0.0.0/8, a range like 10.0.0.1-10.0.0.9"
_MAPPED = 0xFFFF << 32

Number = tuple[int, int]
"""An address as version, 4 or 6, and value: all addresses in one order."""


@attrs.frozen
class Network:
    """Addresses next to each other; a network, a range, or just one."""

    text: str = option(_ALLOWED, value=True, example="192.168.0.0/16")
    _ends: tuple[Number, Number] = attrs.field(init=False, eq=False, repr=False)

    @_ends.default
    def _read(self) -> tuple[Number, Number]:
        text = self.text.strip()
        if "/" in text:
            return _network(text)
        low, dash, high = text.partition("-")
        ends = _end(low), _end(high if dash else low)
        if ends[0][0] != ends[1][0]:
            raise ValueError(
                f"{text!r} mixes IPv4 and IPv6, both ends of one are needed"
            )
        if ends[0] > ends[1]:
            raise ValueError(f"{text!r} ends before it starts")
        return ends

    @property
    def low(self) -> Number:
        return self._ends[0]

    @property
    def high(self) -> Number:
        return self._ends[1]


@attrs.frozen
class Ports:
    """Ports next to each other, or just one."""

    text: str | int = option(
        "a port, 0 to 65535, or a range like 1-1023", value=True, example="1-1023"
    )
    _ends: tuple[int, int] = attrs.field(init=False, eq=False, repr=False)

    @_ends.default
    def _read(self) -> tuple[int, int]:
        text = str(self.text).strip()
        low, dash, high = text.partition("-")
        ends = _port(low, text), _port(high if dash else low, text)
        if ends[0] > ends[1]:
            raise ValueError(f"{text!r} ends before it starts")
        return ends

    def __contains__(self, port: int) -> bool:
        return self._ends[0] <= port <= self._ends[1]


@attrs.define(eq=False, slots=True)
class Selection:
    """
    Socket addresses chosen by networks and ports; no network or no port: any.

    @ivar _lows: first addresses of the networks, in order, overlaps merged.
    @ivar _highs: their last ones.
    """

    networks: tuple[Network, ...]
    ports: tuple[Ports, ...]
    _lows: list[Number] = attrs.field(init=False)
    _highs: list[Number] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if not self.networks and not self.ports:
            raise ValueError("nothing is chosen, an address or a port is needed")
        spans = _merged((network.low, network.high) for network in self.networks)
        self._lows = [low for low, _ in spans]
        self._highs = [high for _, high in spans]

    def __contains__(self, address: Address) -> bool:
        """A unix socket has neither address nor port, so it is in no selection."""
        if not isinstance(address, Host):
            return False
        if self.ports and not any(address.port in ports for ports in self.ports):
            return False
        return not self.networks or self._holds(address.host)

    def _holds(self, host: str) -> bool:
        number = numbered(host)
        if number is None:
            return False
        at = bisect_right(self._lows, number) - 1
        return at >= 0 and number <= self._highs[at]


@lru_cache(maxsize=4096)
def numbered(host: str) -> Number | None:
    """@return: the address in a literal, its zone ignored; None for any other text."""
    try:
        return _number(ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def _number(address: IPv4Address | IPv6Address) -> Number:
    if address.version == 6 and int(address) >> 32 == 0xFFFF:
        return 4, int(address) - _MAPPED
    return address.version, int(address)


def _end(text: str) -> Number:
    try:
        return _number(ip_address(text.strip()))
    except ValueError:
        raise ValueError(f"{text!r} is not an address; {_ALLOWED} is allowed") from None


def _network(text: str) -> tuple[Number, Number]:
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not a network; {_ALLOWED} is allowed") from None
    if ip_address(text.partition("/")[0].strip()) != found.network_address:
        raise ValueError(f"{text!r} has host bits set, {str(found)!r} is its network")
    low, high = _number(found.network_address), _number(found.broadcast_address)
    if low[0] != high[0]:  # the mapped addresses are its end, so it is larger: IPv6
        return (6, int(found.network_address)), (6, int(found.broadcast_address))
    return low, high


def _port(text: str, whole: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 65536):
        raise ValueError(
            f"{whole!r} is not a port, 0 to 65535 or a range like 1-1023 is allowed"
        )
    return int(text)


def _merged(spans: Iterable[tuple[Number, Number]]) -> list[tuple[Number, Number]]:
    merged: list[tuple[Number, Number]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged
