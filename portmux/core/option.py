"""
Declare an option once: type, default, unit and one line of help.

Configuration, reference page and JSON Schema all read these declarations. An
option is a field of a frozen attrs class; its annotation says what may stand
there, and the names below say what a plain number means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NewType

import attrs

Seconds = NewType("Seconds", float)
"""C{500ms}, C{3s}, C{1m30s}, or a number of seconds; with C{| None}: C{none}."""

Octets = NewType("Octets", int)
"""C{16KiB}, C{10MB}, or a number of octets; with C{| None}: C{none}."""

_KEY = "portmux"


@attrs.frozen
class Option:
    """
    What a declaration says beyond type and default.

    @ivar help: one line for people, without a full stop at its end.
    @ivar value: the class may be written as just this field's value:
        C{prefix: "GET"} instead of C{prefix: {patterns: ["GET"]}}.
    @ivar inline: an action's key stands beside this class' own keys.
    @ivar check: raises ValueError with what is allowed; sees the decoded value.
    @ivar example: a value as it is written in a file.
    """

    help: str
    value: bool = False
    inline: bool = False
    check: Callable[[Any], None] | None = None
    example: str = ""


def option(
    help: str,
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    value: bool = False,
    inline: bool = False,
    check: Callable[[Any], None] | None = None,
    example: str = "",
) -> Any:
    """
    Declare a field of a configurable class.

    The key in a file is the field's name with C{_} written as C{-} and
    without a C{_} at its end.
    """
    declared = Option(help, value, inline, check, example)
    if factory is not None:
        return attrs.field(
            factory=factory, metadata={_KEY: declared}, kw_only=not value
        )
    return attrs.field(default=default, metadata={_KEY: declared}, kw_only=not value)


def declared(field: attrs.Attribute[Any]) -> Option | None:
    """@return: what L{option} said of the field; None for any other field."""
    found: Option | None = field.metadata.get(_KEY)
    return found


def key_of(field: attrs.Attribute[Any]) -> str:
    """@return: the option's key in a file."""
    return field.name.rstrip("_").replace("_", "-")


def at_least(least: float) -> Callable[[Any], None]:
    """@return: a check that refuses smaller numbers; None passes."""

    def check(number: Any) -> None:
        if number is not None and not number >= least:  # which NaN never is
            shown, allowed = f"{number:.15g}", f"{least:.15g}"
            raise ValueError(f"{shown} is too small, {allowed} or more is allowed")

    return check
