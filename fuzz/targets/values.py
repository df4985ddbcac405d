"""Durations, sizes, sockets, byte strings: what is read and written is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fuzz.material import Material, require, seeds
from portmux.config import octets
from portmux.config.values import LEAVES
from portmux.core.network import Network, Ports
from portmux.core.pattern import Pattern

SEEDS = seeds(
    0,
    [
        text.encode()
        for text in (
            "1d2h3m4.5s6ms",
            "1m30s",
            "0.25",
            "64KiB",
            "1.5MB",
            "127.0.0.1:22",
            "[2001:db8::1%1]:443",
            "*:443",
            "unix:/run/x",
            "systemd:web",
            "www.example.org.:80",
            "\\00\\0e8 \\zz\\5c",
            "00 0e 38",
            "-17",
            "1.5e-3",
            "true",
            "10.0.0.0/8",
            "10.0.0.1-10.0.0.9",
            "::ffff:10.0.0.0/104",
            "1-1023",
            "[!a-c]*?.x[",
            "é",
        )
    ],
)

_LONGEST = 512

_MADE: tuple[Callable[[str], Any], ...] = (Network, Ports, Pattern)

_OCTETS: tuple[Callable[[str], bytes], ...] = (
    octets.from_text,
    octets.from_hex,
    octets.from_double_quotes,
)


def check(data: bytes) -> None:
    text = Material(data).rest()[:_LONGEST].decode("utf-8", "surrogateescape")
    for kind, leaf in LEAVES.items():
        value = _read(leaf.read, text)
        if value is not None:
            shown = leaf.show(value)
            require(leaf.read(shown) == value, "shown otherwise", kind, text, shown)
    for read in _OCTETS:
        found = _read(read, text)
        if found is not None:
            require(octets.from_text(octets.show(found)) == found, "octets", text)
    for make in _MADE:
        _read(make, text)


def _read(read: Callable[[str], Any], text: str) -> Any:
    """@return: the value; None: it is refused in words."""
    try:
        return read(text)
    except ValueError as wrong:
        require(str(wrong), "a fault without words", text)
        return None
