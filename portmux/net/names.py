"""Addresses as sockets take them: literal ones, and what names were resolved to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, Final

from portmux.core.address import Address, Host, Unix

Name = tuple[int, Any]
"""An address family and a socket address of it."""

MOST: Final = 10_000
"""Addresses remembered at most (taste: configurations have dozens)."""


class Names:
    """What is known of addresses."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """@param seconds: tells the time."""
        self._seconds = seconds
        self._literals: dict[Address, Name] = {}
        self._resolved: dict[Host, tuple[float, Sequence[Name]]] = {}

    def literal(self, address: Address) -> Name | None:
        """
        @return: None for a name.
        @raise OSError: the interface of a link-local address is not there.
        """
        name = self._literals.get(address)
        if name is None:
            if len(self._literals) >= MOST:
                self._literals.clear()
            name = _literal(address)
            # The number of an interface changes when it comes and goes.
            if name is not None and "%" not in str(address):
                self._literals[address] = name
        return name

    def resolved(self, address: Host) -> Sequence[Name]:
        """@return: what a name was found to have, while that is good."""
        until, names = self._resolved.get(address, (0.0, ()))
        return names if self._seconds() < until else ()

    def keep(self, address: Host, names: Sequence[Name], good: float) -> Sequence[Name]:
        """
        @param names: that the resolver has found just now; none: it has not.
        @param good: seconds for which they are.
        @return: where to connect; without an answer, where the last one said.
        """
        if not names:
            return self._resolved.get(address, (0.0, ()))[1]
        if len(self._resolved) >= MOST:
            self._resolved.clear()
        self._resolved[address] = self._seconds() + good, names
        return names


def _literal(address: Address) -> Name | None:
    if isinstance(address, Unix):
        return socket.AF_UNIX, address.path
    try:
        parsed = ip_address(address.host.partition("%")[0])
    except ValueError:
        return None
    if parsed.version == 4:
        return socket.AF_INET, (address.host, address.port)
    scope = address.host.partition("%")[2]
    return socket.AF_INET6, (
        str(parsed),
        address.port,
        0,
        socket.if_nametoindex(scope) if scope else 0,
    )
