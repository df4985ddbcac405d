"""How socket addresses are written: HOST:PORT, [V6]:PORT, unix:PATH, systemd:NAME."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from portmux.config.faults import quoted
from portmux.core.address import Address, BindAddress, Host, Inherited, Unix

HOST = "HOST:PORT or [V6]:PORT"
UNIX = "unix:PATH"
ADDRESS = "HOST:PORT, [V6]:PORT or unix:PATH"
BIND_HOST = "IP:PORT, [V6]:PORT or *:PORT"
BIND = "IP:PORT, [V6]:PORT, *:PORT, unix:PATH or systemd:NAME"

LOOPBACK = "127.0.0.1"

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_PORT = re.compile(r"[0-9]{1,5}")

_LONGEST_PATH = 107
"""Octets, without the NUL. @see: unix(7), C{sun_path}."""


def address(text: str) -> Address:
    """@raise ValueError: not where a connection can go to."""
    return _unix(text) if text.startswith("unix:") else host(text)


def host(text: str) -> Host:
    """@raise ValueError: not a host and a port."""
    if text.startswith("unix:"):
        raise ValueError(f"{quoted(text)} is a unix socket, {HOST} is allowed")
    name, port = _split(text, HOST, 1)
    if name == "*":
        raise ValueError(f"{quoted(text)} can only be listened on, {HOST} is allowed")
    return Host(name, port)


def unix(text: str) -> Unix:
    """@raise ValueError: not C{unix:PATH}."""
    if not text.startswith("unix:"):
        raise ValueError(f"{quoted(text)} is not {UNIX}")
    return _unix(text)


def bind_address(text: str) -> BindAddress:
    """@raise ValueError: not what can be listened on."""
    if text.startswith("unix:"):
        return _unix(text)
    if text.startswith("systemd:"):
        return _inherited(text)
    return bind_host(text, BIND, 0)


def own_address(text: str) -> BindAddress:
    """
    Read where portmux itself is asked, which only this machine can do at first.

    @raise ValueError: not what can be listened on.
    """
    if text.startswith(("unix:", "systemd:")):
        return bind_address(text)
    return bind_host(text, BIND, 0, LOOPBACK)


def bind_host(
    text: str, allowed: str = BIND_HOST, least: int = 1, meant: str = "*"
) -> Host:
    """
    @param least: the lowest port; 0 is one that the system chooses.
    @param meant: the host to propose where there is a port alone.
    @raise ValueError: not an IP address, or C{*}, and a port.
    """
    name, port = _split(text, allowed, least, meant)
    if name != "*" and not _literal(name):
        hint = f"; did you mean {LOOPBACK}?" if name == "localhost" else ""
        raise ValueError(
            f"{quoted(name)} is a name, an IP address or * is allowed{hint}"
        )
    return Host(name, port)


def _unix(text: str) -> Unix:
    path = text.removeprefix("unix:")
    if not path or "\0" in path:
        raise ValueError(f"{quoted(text)} names no file, {UNIX} is allowed")
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{quoted(text)} is not UTF-8") from None
    if size > _LONGEST_PATH:
        raise ValueError(
            f"{quoted(text)} is too long, a path of {_LONGEST_PATH} octets is allowed"
        )
    return Unix(path)


def _inherited(text: str) -> Inherited:
    name = text.removeprefix("systemd:")
    # systemd.socket(5), FileDescriptorName: printable ASCII without a colon.
    if not re.fullmatch(r"[!-9;-~]{1,255}", name):
        raise ValueError(f"{quoted(text)} names no socket, systemd:NAME is allowed")
    return Inherited(name)


def _split(
    text: str, allowed: str, least: int, meant: str = LOOPBACK
) -> tuple[str, int]:
    """
    @param least: the lowest port.
    @param meant: the host to propose where there is none.
    @return: the canonical host and the port.
    @raise ValueError: they are neither.
    """
    name, colon, digits = text.rpartition(":")
    if not name and _PORT.fullmatch(digits):
        whole = quoted(f"{meant}:{digits}")
        raise ValueError(
            f"{quoted(text)} has no host, {allowed} is allowed; did you mean {whole}?"
        )
    if text.startswith("/"):
        whole = quoted(f"unix:{text}")
        raise ValueError(f"{quoted(text)} is a path; did you mean {whole}?")
    if not colon or (_is_six(text) and not _is_six(name)):
        raise ValueError(f"{quoted(text)} has no port, {allowed} is allowed")
    if not name:
        raise ValueError(f"{quoted(text)} has no host, {allowed} is allowed")
    if not _PORT.fullmatch(digits) or not least <= int(digits) <= 65535:
        raise ValueError(f"{quoted(digits)} is not a port, {least} to 65535 is allowed")
    if name.startswith("[") and name.endswith("]"):
        return _six(name[1:-1]), int(digits)
    if ":" in name:
        literal = name.strip("[]")
        whole = quoted(f"[{literal}]:{digits}")
        hint = f"; did you mean {whole}?" if _is_six(literal) else ""
        raise ValueError(f"{quoted(text)} is not {allowed}{hint}")
    if name != "*" and not _literal(name) and not _nameable(name):
        raise ValueError(f"{quoted(name)} is not a host, {allowed} is allowed")
    return name, int(digits)


def _six(literal: str) -> str:
    """One spelling for one address, so that equal configurations are equal."""
    try:
        return str(IPv6Address(literal))
    except AddressValueError:
        raise ValueError(f"{quoted(literal)} is not an IPv6 address") from None


def _is_six(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _literal(name: str) -> bool:
    if ":" in name:
        return True
    try:
        IPv4Address(name)
    except AddressValueError:
        return False
    return True


def _nameable(name: str) -> bool:
    """What ends in a number was meant to be an IPv4 address. @see: RFC 3696, 2."""
    last = name.rstrip(".").rpartition(".")[2]
    return len(name) <= 254 and bool(_NAME.fullmatch(name)) and not last.isdigit()
