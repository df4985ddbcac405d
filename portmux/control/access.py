"""
Who may call by HTTP: checks of what browsers send without being asked.

A page of anybody's may have a browser send requests to addresses that only that
browser reaches; and a name of anybody's may be made to mean such an address
(DNS rebinding). Browsers say in C{Origin} whose page it is, and in C{Host} by
what name they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

ANY = "*"
"""In place of a name: by whatever name, as long as no page is behind it."""


def refusal(headers: Mapping[bytes, bytes], hosts: Sequence[str]) -> str | None:
    """
    @param headers: of the request, names in lower case.
    @param hosts: names by which we may be called, beside localhost and addresses.
    @return: why the request is not answered; None: it is.
    """
    host = _name(headers.get(b"host", b""))
    if host is None or not (ANY in hosts or _is_ours(host, hosts)):
        return "Host is not a name of this server; control.hosts allows it"
    origin = headers.get(b"origin")
    if origin is None:
        return None
    page = urlsplit(origin.decode("latin-1")).netloc.lower()
    if page != headers[b"host"].decode("latin-1").lower() or not _is_ours(host, hosts):
        return "Origin is another site's"
    return None


def _name(host: bytes) -> str | None:
    """@return: of C{HOST:PORT}; None: it is no such thing."""
    try:
        return urlsplit("//" + host.decode("ascii")).hostname
    except ValueError:
        return None


def _is_ours(name: str, hosts: Sequence[str]) -> bool:
    if name == "localhost" or name in (each.lower() for each in hosts):
        return True
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
