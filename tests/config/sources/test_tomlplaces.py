"""Tests of the places in a TOML text, against the library that reads it."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.sources.tomlplaces import Steps, locate

BARE = st.text("abcXYZ019_-", min_size=1, max_size=4)
KEYS = BARE | BARE.map(lambda key: f"'{key} .='") | st.text(max_size=4).map(json.dumps)

# Escapes of JSON are escapes of TOML, but for what lies beyond 16 bits.
NARROW = st.text(st.characters(max_codepoint=0xD7FF), max_size=6)
SIMPLE = st.text("ab #[]{}=,.\\'", max_size=6).map(lambda text: text.replace("'", ""))
STRINGS = st.one_of(
    NARROW.map(json.dumps),
    SIMPLE.map(lambda text: f"'{text}'"),
    NARROW.map(lambda text: f'"""{json.dumps(text)[1:-1]}\n  a"b""x"""""'),
    SIMPLE.map(lambda text: f"'''\n{text}''x\n'''"),
)
ATOMS = st.one_of(
    STRINGS,
    st.integers(-(1 << 62), 1 << 62).map(str),
    st.sampled_from(
        ["true", "inf", "0xff", "1_000", "1e3", "1979-05-27 07:32:00", "07:32:00"]
    ),
)
SPACES = st.sampled_from(["", " ", "\t", "  "])
BREAKS = st.sampled_from(["", " ", "\n", " # ]} x\n", "\n\n\t"])


def lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.tuples(BREAKS, inner, BREAKS).map("".join)
    ends = st.sampled_from(["", ",", " , # x\n"])
    return st.tuples(st.lists(items, max_size=3), ends).map(
        lambda drawn: f"[{','.join(drawn[0])}{drawn[1] if drawn[0] else ''}]"
    )


def inline(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(KEYS, SPACES, inner), max_size=3)
    return pairs.map(
        lambda drawn: f"{{{', '.join(f'{k}{s}={s}{v}' for k, s, v in drawn)}}}"
    )


VALUES = st.recursive(ATOMS, lambda inner: lists(inner) | inline(inner), max_leaves=5)
DOTTED = st.lists(KEYS, min_size=1, max_size=3)
PAIRS = st.tuples(DOTTED, SPACES, VALUES).map(
    lambda drawn: f"{drawn[1]}{f'{drawn[1]}.{drawn[1]}'.join(drawn[0])} = {drawn[2]}"
)
HEADERS = st.tuples(DOTTED, SPACES, st.booleans()).map(
    lambda drawn: f"{drawn[1]}{'.'.join(drawn[0])}{drawn[1]}".join(
        ("[[", "]]") if drawn[2] else ("[", "]")
    )
)
LINES = st.one_of(PAIRS, PAIRS, HEADERS, st.sampled_from(["", "# [x]", "  \t"]))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Lines that are TOML together: what breaks it is left out again."""
    text = ""
    for line in draw(st.lists(LINES, max_size=12)):
        longer = text + line + draw(st.sampled_from(["\n", " # x = 1\n"]))
        try:
            tomllib.loads(longer)
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        text = longer
    return text if draw(st.booleans()) else text.rstrip("\n")


def walk(value: Any, steps: Steps = ()) -> list[tuple[Steps, Any]]:
    """@return: the way to each value, and the value."""
    found = [(steps, value)]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += walk(inner, (*steps, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found += walk(inner, (*steps, index))
    return found


class PlaceTests(SynchronousTestCase):
    def test_by_hand(self) -> None:
        text = "a = 1\n[b.c]\nd.e = [1, {f = 'x'}]\n[[g]]\n[[g]]\nh = 2\n"
        found = locate(text)
        for steps, key, value in [
            (("a",), "a = 1", "1"),
            (("b", "c"), "c]", "c]"),
            (("b", "c", "d"), "d.e", "d.e"),
            (("b", "c", "d", "e"), "e = ", "[1, {"),
            (("b", "c", "d", "e", 0), "1, {", "1, {"),
            (("b", "c", "d", "e", 1, "f"), "f = ", "'x'"),
            (("g", 1), "g]]\nh", "g]]\nh"),
            (("g", 1, "h"), "h = 2", "2"),
        ]:
            place = found[steps]
            self.assertTrue(text[place.key :].startswith(key), steps)
            self.assertTrue(text[place.value :].startswith(value), steps)

    @given(documents())
    def test_every_value_has_its_place(self, text: str) -> None:
        """No more and no fewer ways than the library finds; each leads there."""
        found = locate(text)
        values = walk(tomllib.loads(text))
        self.assertEqual(set(found), {steps for steps, _ in values})
        for steps, value in values:
            place = found[steps]
            rest = text[place.value :]
            if steps and isinstance(steps[-1], str):
                self.check_key(text[place.key :], steps[-1])
            if isinstance(value, bool | int | float | str):
                self.check_value(rest, value)

    def check_key(self, rest: str, key: str) -> None:
        """What stands at the place begins with the key."""
        written = [key, f"'{key}'", *self.quoted(rest)]
        self.assertTrue(any(rest.startswith(each) for each in written if each), rest)

    def quoted(self, rest: str) -> list[str]:
        """@return: a key in double quotes at the start, if it is one."""
        if not rest.startswith('"'):
            return []
        _, end = json.JSONDecoder().raw_decode(rest)
        return [rest[:end]]

    def check_value(self, rest: str, value: Any) -> None:
        """Some piece of what stands at the place is read as the value."""
        ends = [i for i in range(1, len(rest) + 1) if self.reads(rest[:i], value)]
        self.assertTrue(ends, (rest, value))

    def reads(self, piece: str, value: Any) -> bool:
        try:
            return bool(tomllib.loads(f"x = {piece}")["x"] == value)
        except tomllib.TOMLDecodeError:
            return False
