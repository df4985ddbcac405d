"""What the model asks of values beyond their type: each raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from ipaddress import ip_address
from typing import Any

import attrs

from portmux.config.faults import quoted
from portmux.config.quantities import show_octets
from portmux.config.tree import Path
from portmux.core.address import BindAddress, Host, Unix

Check = Callable[[Any], None]
Given = Mapping[str, Any]
Clashes = Iterator[tuple[Path, str]]


def positive(number: float | None) -> None:
    """None passes."""
    if number is not None and number <= 0:
        raise ValueError(f"{number:g} is not allowed, more than 0 is")


def sized(least: int, most: int) -> Check:
    """@return: a check of a size in octets."""

    def check(size: int) -> None:
        if not least <= size <= most:
            ends = f"{show_octets(least)} to {show_octets(most)}"
            raise ValueError(f"{show_octets(size)} is not allowed, {ends} is")

    return check


def ranged(least: int, most: int) -> Check:
    """@return: a check of a number; None passes."""

    def check(number: int | None) -> None:
        if number is not None and not least <= number <= most:
            raise ValueError(f"{number} is not allowed, {least} to {most} is")

    return check


def like(pattern: str, allowed: str) -> Check:
    """@return: a check of a whole text; None passes."""
    expression = re.compile(pattern, re.DOTALL)

    def check(text: str | None) -> None:
        if text is not None and not expression.fullmatch(text):
            raise ValueError(f"{quoted(text)} is not {allowed}")

    return check


def some(what: str) -> Check:
    """@return: a check that there is at least one."""

    def check(values: Sized) -> None:
        if not values:
            raise ValueError(f"is empty, {what} is needed")

    return check


def is_private(address: BindAddress) -> bool:
    """@return: whether no other machine can connect there."""
    if isinstance(address, Host):
        try:
            return ip_address(address.host.partition("%")[0]).is_loopback
        except ValueError:
            return False  # a name, or *
    return isinstance(address, Unix)


def hold(made: Any) -> None:
    """@raise ValueError: values of the object cannot stand together."""
    for path, text in made.conflicts(attrs.asdict(made, recurse=False)):
        raise ValueError(": ".join((*path, text)))


PATH = like(".+", "a path")
"""Text that may name a file."""


def addresses(given: Iterable[str]) -> None:
    """Refuse what is no IP address."""
    for text in given:
        try:
            ip_address(text)
        except ValueError:
            raise ValueError(
                f"{text!r} is no IP address, one of this machine is allowed"
            ) from None
