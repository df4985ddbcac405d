"""What three extensions of a ClientHello say; the bodies of others are never read."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

from portmux.errors import Malformed

SERVER_NAME = 0
ALPN = 16
VERSIONS = 43

_HOST_NAME = 0
_MOST_NAME = 255  # of a domain name, RFC 1035, section 2.3.4
_NAME = re.compile(rb"[0-9A-Za-z_.-]+")


def server_name(body: bytes) -> str:
    """
    Names of other types than host names are ignored; an IP address is no host
    name, but clients send it.

    @return: in lower case, without a dot at its end; empty when there is none.
    @raise Malformed: the extension is impossible, or the name is.
    @see: RFC 6066, section 3.
    """
    names: dict[int, bytes] = {}
    at = 2
    if len(body) < 2 or at + _word(body, 0) != len(body) or at == len(body):
        raise Malformed("list of server names of a wrong size")
    while at < len(body):
        if at + 3 > len(body) or (end := at + 3 + _word(body, at + 1)) > len(body):
            raise Malformed("a server name ends behind the list")
        if body[at] in names:
            raise Malformed(f"there are two server names of type {body[at]}")
        names[body[at]] = body[at + 3 : end]
        at = end
    name = names.get(_HOST_NAME)
    return "" if name is None else _host(name)


def _host(name: bytes) -> str:
    host = name.removesuffix(b".")
    if not 0 < len(host) <= _MOST_NAME:
        raise Malformed(f"server name of {len(name)} octets")
    if not _NAME.fullmatch(host) and not _is_v6(host):
        raise Malformed("server name with octets that no name has")
    return host.decode("ascii").lower()


def _is_v6(host: bytes) -> bool:
    try:
        IPv6Address(host.decode("ascii"))
    except ValueError:
        return False
    return True


def alpn(body: bytes) -> tuple[str, ...]:
    """
    @return: the protocols, in the client's order.
    @raise Malformed: the extension is impossible.
    @see: RFC 7301, section 3.1.
    """
    names = []
    at = 2
    if len(body) < 2 or at + _word(body, 0) != len(body) or at == len(body):
        raise Malformed("list of application protocols of a wrong size")
    while at < len(body):
        end = at + 1 + body[at]
        if end > len(body) or end == at + 1:
            raise Malformed("an application protocol of a wrong size")
        names.append(body[at + 1 : end].decode("utf-8", "surrogateescape"))
        at = end
    return tuple(names)


def versions(body: bytes) -> tuple[int, ...]:
    """
    @return: the versions, in the client's order, without those of RFC 8701.
    @raise Malformed: the extension is impossible.
    @see: RFC 8446, section 4.2.1.
    """
    if len(body) < 3 or body[0] != len(body) - 1 or body[0] % 2:
        raise Malformed("list of versions of a wrong size")
    versions = (_word(body, at) for at in range(1, len(body), 2))
    return tuple(version for version in versions if not _is_grease(version))


def _is_grease(value: int) -> bool:
    """@see: RFC 8701, section 2: 0x0A0A, 0x1A1A, ... 0xFAFA."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def _word(octets: bytes, at: int) -> int:
    return octets[at] << 8 | octets[at + 1]
