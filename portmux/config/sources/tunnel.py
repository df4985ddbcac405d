"""
Read tunnels: C{local=remote,remote[option=value]}, as plexy writes them.

A bare port is one of 127.0.0.1; names, IPv4 and IPv6 in brackets may stand
there. No blanks, and nothing may be left over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any, Final

import attrs

from portmux.config.merge import overlay
from portmux.config.tree import Items, Node, Origin, Scalar, Style, Table, table
from portmux.core.address import Host
from portmux.core.option import Seconds
from portmux.core.strategies import Strategy, spelled

TUNNEL: Final = "LOCAL=REMOTE,REMOTE[OPTION=VALUE]"

LOOPBACK: Final = "127.0.0.1"
"""Where a bare port is."""

_LONGEST: Final = 1000 * 86400.0
"""Seconds; as everywhere in a configuration."""

_SOCKET: Final = re.compile(
    r"\[(?P<six>[0-9A-Fa-f:]+)\]:(?P<a>[0-9]+)"
    r"|(?P<four>[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+):(?P<b>[0-9]+)"
    r"|(?P<name>[A-Za-z](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(?P<c>[0-9]+)"
    r"|(?P<port>[0-9]+)"
)
_OPTION: Final = re.compile(r"([A-Za-z0-9_-]*)=([^,\]]*)")
_REAL: Final = re.compile(r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Unparsed(ValueError):
    """
    The text is none.

    @ivar kind: what was looked for: C{Digit}, a socket; C{Char}, a mark such
        as C{=}; C{Verify}, an option; C{Eof}, the end.
    @ivar rest: where that was looked for in vain.
    """

    def __init__(self, kind: str, rest: str) -> None:
        super().__init__(f"Parser: {kind}, Unparsed: {rest}")
        self.kind = kind
        self.rest = rest


@attrs.frozen
class Options:
    """
    How a tunnel treats its remotes; None: as the program's defaults say.

    @ivar retries: attempts to connect for each client, all in all.
    @ivar timeout: seconds for one of them.
    @ivar errors: failures in a row after which a remote is not used any more.
    @ivar check_interval: seconds until such a remote is tried again.
    @ivar remote_tls: speak TLS to the remotes.
    """

    strategy: Strategy | None = None
    retries: int | None = None
    timeout: Seconds | None = None
    errors: int | None = None
    check_interval: Seconds | None = None
    remote_tls: bool | None = None

    def __str__(self) -> str:
        given = attrs.asdict(self, recurse=False).items()
        return ",".join(
            f"{name.replace('_', '-')}={_shown(value)}"
            for name, value in given
            if value is not None
        )


@attrs.frozen
class Tunnel:
    """A local socket, and the remotes that its clients are forwarded to."""

    local: Host
    remotes: tuple[Host, ...]
    options: Options = attrs.field(factory=Options)

    def __str__(self) -> str:
        remotes, options = ",".join(map(str, self.remotes)), str(self.options)
        return f"{self.local}={remotes}" + (f"[{options}]" if options else "")


def tunnel(text: str) -> Tunnel:
    """@raise Unparsed: the text is no tunnel."""
    local, rest = socket(text)
    remotes: list[Host] = []
    separator = "="
    while rest.startswith(separator):
        try:
            remote, after = socket(rest[1:])
        except Unparsed:
            if not remotes:
                raise
            break
        if remote not in remotes:
            remotes.append(remote)
        separator, rest = ",", after
    if not remotes:
        raise Unparsed("Char", rest)
    options, rest = _options(rest) if rest.startswith("[") else (Options(), rest)
    if rest:
        raise Unparsed("Eof", rest)
    return Tunnel(local, tuple(remotes), options)


def kept(text: str) -> Tunnel:
    """Like L{read}; also a tunnel without remotes, such as C{3000=}."""
    local, equals, rest = text.partition("=")
    if equals and (not rest or rest.startswith("[")):
        whole = read(f"{local}=0{rest}")
        return attrs.evolve(whole, remotes=())
    return read(text)


def read(text: str) -> Tunnel:
    """
    Read a tunnel of a configuration.

    @raise ValueError: the text is no tunnel; says what is wrong with it.
    """
    try:
        return tunnel(text)
    except Unparsed as wrong:
        shown = f'"{text[:60]}" is not {TUNNEL}'
        raise ValueError(f"{shown}: {_WRONG[wrong.kind]}{_at(wrong.rest)}") from None


def is_meant(word: str) -> bool:
    """@return: whether a word of a command line is a tunnel, not a route."""
    return bool(re.match(r"[0-9\[]|[^=]*:[0-9]+=", word))


def laid(below: Node | None, given: Sequence[str]) -> Node:
    """@return: a tree with tunnels of a command line behind those that it has."""
    origin = Origin(given[0])
    section = below.get("tunnels") if isinstance(below, Table) else None
    inside = isinstance(section, Table)
    had = section.get("open") if isinstance(section, Table) else section
    before = had.values if isinstance(had, Items) else () if had is None else (had,)
    fresh = tuple(Scalar(text, Origin(text), Style.QUOTED) for text in given)
    opened: Node = Items(origin, (*before, *fresh))
    if inside:
        opened = table(origin, open=opened)
    upper = table(origin, tunnels=opened)
    return upper if below is None else overlay(below, upper)


_WRONG: Final = {
    "Digit": "PORT, HOST:PORT or [V6]:PORT is allowed",
    "Char": "= is missing",
    "Verify": "no option, or no value of one",
    "Eof": "nothing more is allowed",
}


def _at(rest: str) -> str:
    return f' at "{rest[:40]}"' if rest else " at the end"


def socket(text: str) -> tuple[Host, str]:
    """
    @return: a socket and what stands behind it.
    @raise Unparsed: the text does not begin with a socket.
    """
    found = _SOCKET.match(text)
    if found is None:
        raise Unparsed("Digit", text)
    digits = found["a"] or found["b"] or found["c"] or found["port"]
    if len(digits) > 20 or int(digits) > 65535:
        raise Unparsed("Digit", text)
    try:
        return Host(_host(found), int(digits)), text[found.end() :]
    except AddressValueError:
        raise Unparsed("Digit", text) from None


def _host(found: re.Match[str]) -> str:
    """@raise AddressValueError: no such address can be."""
    if found["six"]:
        return str(IPv6Address(found["six"]))
    if found["four"]:
        return str(IPv4Address(found["four"]))
    name: str | None = found["name"]
    return name or LOOPBACK


def _options(text: str) -> tuple[Options, str]:
    given: dict[str, Any] = {}
    mark, rest = "[", text
    while rest.startswith(mark):
        found = _OPTION.match(rest, 1)
        if found is None:
            raise Unparsed("Verify", rest[1:])
        key = found[1].lower()
        if key not in _VALUES:
            raise Unparsed("Verify", found[1])
        given[key.replace("-", "_")] = value(key, found[2])
        mark, rest = ",", rest[found.end() :]
    if not rest.startswith("]"):
        raise Unparsed("Char", rest)
    return Options(**given), rest[1:]


def value(key: str, text: str) -> Any:
    """
    @param key: of an option, as it stands in an expression.
    @raise Unparsed: the option does not take that text.
    """
    try:
        return _VALUES[key](text)
    except (ValueError, KeyError):
        raise Unparsed("Verify", text) from None


def _strategy(text: str) -> Strategy:
    found = spelled(text)
    if found is None:
        raise ValueError(text)
    return found


def _number(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\+?[0-9]{1,20}", text) or int(text) > most:
            raise ValueError(text)
        return int(text)

    return read


def _seconds(text: str) -> Seconds:
    number = float(text) if len(text) < 100 and _REAL.fullmatch(text) else math.inf
    if number > _LONGEST:
        raise ValueError(text)
    return Seconds(number)


_VALUES: Final[dict[str, Callable[[str], Any]]] = {
    "strategy": _strategy,
    "retries": _number(0xFFFF),
    "timeout": _seconds,
    "errors": _number(0xFFFF_FFFF_FFFF_FFFF),
    "check-interval": _seconds,
    "remote-tls": {"true": True, "false": False}.__getitem__,
}


def _shown(given: Any) -> str:
    """@return: C{10} for 10.0: as plexy says it, and reads it."""
    if isinstance(given, Strategy):
        return called(given)
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float):
        text = f"{given:.6f}".rstrip("0").rstrip(".")
        return text if float(text) == given else repr(given)
    return str(given)


def called(strategy: Strategy) -> str:
    """@return: its name, as plexy reports it."""
    plexys = strategy is Strategy.LEAST_CONNECTIONS
    return "minimum-open-connections" if plexys else strategy.value


def shown(given: float) -> str:
    """@return: seconds, without zeros at the end."""
    return _shown(float(given))
