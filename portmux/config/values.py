"""Which types of the model are written as one scalar, and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

import attrs

from portmux.config import octets, quantities, sockets
from portmux.config.faults import guess, listed, quoted
from portmux.config.sources import tunnel
from portmux.config.sources.tunnel import TUNNEL, Tunnel
from portmux.core.address import Address, BindAddress, Host, Unix
from portmux.core.option import Octets, Seconds
from portmux.core.strategies import Strategy, spelled

NAME = "a name of up to 64 letters, digits, _ . -"

Name = Annotated[str, "name"]
"""What people call a listener or a route: it stands in paths and records."""

OwnAddress = Annotated[BindAddress, "own"]
"""Where portmux itself is asked or told something."""

PoolName = Annotated[str, "pool"]
"""The name of a pool that is configured in its own place."""

Kept = Annotated[Tunnel, "kept"]
"""A tunnel that was opened while the program ran: it may have no remotes."""


@attrs.frozen
class Leaf:
    """
    One kind of value.

    @ivar allowed: what may stand there, for people.
    @ivar read: text to value; raises ValueError with what is wrong, what is allowed.
    @ivar show: value to text that reads as the same value.
    @ivar text: a number or boolean of TOML and JSON is not meant by it.
    """

    allowed: str
    read: Callable[[str], Any]
    show: Callable[[Any], str] = str
    text: bool = True


def leaf_of(kind: Any) -> Leaf | None:
    """@return: how values of the annotation are written; None if not as a scalar."""
    if get_origin(kind) is Literal:
        return _choice({str(word): word for word in get_args(kind)})
    if isinstance(kind, type) and issubclass(kind, Enum) and kind not in LEAVES:
        return _choice({str(member.value): member for member in kind})
    return LEAVES.get(kind)


def string(text: str) -> str:
    """@raise ValueError: no file, argument or log line can hold it."""
    if "\0" in text:
        raise ValueError(f"{quoted(text)} holds a NUL, which no text may")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{quoted(text)} is not UTF-8") from None
    return text


def name(text: str) -> str:
    """@raise ValueError: not one word."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text):
        raise ValueError(f"{quoted(text)} is not {NAME}")
    return text


def strategy(text: str) -> Strategy:
    """@raise ValueError: neither a strategy's name nor another spelling of it."""
    found = spelled(text)
    words = {member.value: member for member in Strategy}
    read: Strategy = _choice(words).read(text) if found is None else found
    return read


def _choice(words: Mapping[str, Any]) -> Leaf:
    allowed = f"one of {listed(words)}"

    def read(text: str) -> Any:
        if text not in words:
            hint = guess(text, words)
            raise ValueError(f"{quoted(text)} is not allowed, {allowed} is{hint}")
        return words[text]

    names = {value: word for word, value in words.items()}
    worded = all(isinstance(value, str | Enum) for value in words.values())
    return Leaf(allowed, read, lambda value: names[value], worded)


LEAVES: Mapping[Any, Leaf] = {
    str: Leaf("text", string),
    Name: Leaf(NAME, name),
    bytes: Leaf(octets.OCTETS, octets.from_text, octets.show),
    int: Leaf(quantities.INTEGER, quantities.integer, text=False),
    float: Leaf(quantities.NUMBER, quantities.real, text=False),
    bool: Leaf(quantities.TRUTH, quantities.truth, quantities.show_truth, text=False),
    Seconds: Leaf(
        quantities.DURATION, quantities.seconds, quantities.show_seconds, text=False
    ),
    str | int: Leaf("text or a whole number", string, text=False),
    Octets: Leaf(
        quantities.SIZE, quantities.octets, quantities.show_octets, text=False
    ),
    Host: Leaf(sockets.HOST, sockets.host),
    Unix: Leaf(sockets.UNIX, sockets.unix),
    Address: Leaf(sockets.ADDRESS, sockets.address),
    BindAddress: Leaf(sockets.BIND, sockets.bind_address),
    OwnAddress: Leaf(sockets.BIND, sockets.own_address),
    Tunnel: Leaf(TUNNEL, tunnel.read),
    Kept: Leaf(TUNNEL, tunnel.kept),
    PoolName: Leaf(NAME, name),
    Strategy: Leaf(
        f"one of {listed([member.value for member in Strategy])}",
        strategy,
        lambda value: str(value.value),
    ),
}
