"""Read TOML: values by the standard library, their places by L{locate}."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import attrs

from portmux.config.faults import Faults
from portmux.config.sources.place import DEEPEST, TOO_DEEP, Places, Unreadable
from portmux.config.sources.tomlplaces import Place, Steps, locate
from portmux.config.tree import Entry, Items, Node, Scalar, Style, Table

_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse(name: str, text: str, faults: Faults) -> Node | None:
    """@return: the file's tree; None: see faults."""
    # The library does this by itself, and only once: "\r\r\n" stays wrong.
    written, text = text, text.replace("\r\n", "\n")
    places = Places(name, text)
    try:
        values = tomllib.loads(written)
        return _Builder(text, places, locate(text)).node(values, (), 0)
    except tomllib.TOMLDecodeError as wrong:
        problem, index = _problem(str(wrong), places)
        faults.add(places.at(index), f"is not TOML, {problem}")
    except Unreadable as wrong:
        faults.add(places.at(wrong.index), str(wrong))
    except RecursionError:
        faults.add(places.at(0), TOO_DEEP)
    except ValueError:
        faults.add(places.at(0), "is not TOML, a number in it has too many digits")
    return None


def _problem(text: str, places: Places) -> tuple[str, int]:
    """@return: what is wrong, in a sentence of ours, and where."""
    found = _WHERE.search(text)
    problem = text[: found.start()] if found else text
    problem = problem[:1].lower() + problem[1:]
    if found is None or found[1] is None:
        return problem, len(places.text)
    return problem, places.index(int(found[1]), int(found[2]))


@attrs.frozen
class _Builder:
    _text: str
    _places: Places
    _found: Mapping[Steps, Place]

    def node(self, value: Any, steps: Steps, depth: int) -> Node:
        place = self._found[steps]
        if depth > DEEPEST:
            raise Unreadable(place.key, TOO_DEEP)
        origin = self._places.at(place.value)
        if isinstance(value, dict):
            return Table(
                origin,
                {
                    key: Entry(
                        self._places.at(self._found[(*steps, key)].key),
                        self.node(inner, (*steps, key), depth + 1),
                    )
                    for key, inner in value.items()
                },
            )
        if isinstance(value, list):
            inner = enumerate(value)
            values = (self.node(item, (*steps, at), depth + 1) for at, item in inner)
            return Items(origin, tuple(values))
        if isinstance(value, str):
            double = self._text[place.value] == '"'
            return Scalar(value, origin, Style.DOUBLE if double else Style.QUOTED)
        return Scalar(_shown(value), origin, Style.TYPED)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Decimal digits of huge numbers take quadratic time; none is allowed anywhere.
        return str(value) if abs(value) < 1 << 64 else f"{value:#x}"
    return str(value)
