"""
What a regular expression is made of.

A set of octets is an integer: bit I{n} is set when octet I{n} is in it.
"""

from __future__ import annotations

from enum import Enum, auto

import attrs

ALL = (1 << 256) - 1
"""Every octet."""

LETTERS = (1 << 26) - 1
"""As many octets as there are letters, to be shifted to the first of them."""


class Anchor(Enum):
    """A place between octets."""

    START = auto()
    END = auto()


@attrs.frozen(slots=True)
class Octet:
    """One octet out of a set. @ivar among: the set; 0 matches nothing."""

    among: int


@attrs.frozen(slots=True)
class Sequence:
    """One behind the other; empty matches the empty string."""

    parts: tuple[Node, ...] = ()


@attrs.frozen(slots=True)
class Choice:
    """Any one of them."""

    branches: tuple[Node, ...]


@attrs.frozen(slots=True)
class Repeat:
    """@ivar most: None for any number."""

    node: Node
    least: int
    most: int | None


Node = Octet | Sequence | Choice | Repeat | Anchor


def octets(members: bytes) -> int:
    """@return: the set of these octets."""
    found = 0
    for octet in members:
        found |= 1 << octet
    return found


def both_cases(among: int) -> int:
    """@return: the set with both cases of each ASCII letter in it."""
    letters = (among >> ord("A") | among >> ord("a")) & LETTERS
    return among | letters << ord("A") | letters << ord("a")
