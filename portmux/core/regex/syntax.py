"""
Read regular expressions as people know them, as far as they can be linear.

Text stands for its UTF-8 octets.
"""

from __future__ import annotations

import re
from typing import NoReturn

import attrs

from portmux.core.regex.nodes import (
    ALL,
    LETTERS,
    Anchor,
    Choice,
    Node,
    Octet,
    Repeat,
    Sequence,
    both_cases,
    octets,
)

MOST_DEPTH = 50
"""Groups within groups: from taste; everything that walks them recurses."""


def parse(pattern: str, ignore_case: bool = False) -> Node:
    """
    @raise ValueError: says what is wrong, at which character from 1, and what
        is allowed.
    """
    return _Reader(pattern, ignore_case).whole()


_DIGIT = octets(b"0123456789")
_WORD = _DIGIT | LETTERS << ord("A") | LETTERS << ord("a") | octets(b"_")
_SPACE = octets(b" \t\n\r\f\v")
_SETS = {
    "d": _DIGIT,
    "w": _WORD,
    "s": _SPACE,
    "D": ALL ^ _DIGIT,
    "W": ALL ^ _WORD,
    "S": ALL ^ _SPACE,
}
_CONTROLS = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "a": 7, "0": 0}
_BRACES = re.compile(r"\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\}", re.ASCII)
_FLAGS = re.compile(r"\(\?(?P<flags>[is]+)(?P<end>[:)])")
_LINEAR = "matching must be linear"
_GROUPS = "(...), (?:...), (?i:...), (?s:...), and (?i), (?s) at the start"
_ESCAPES = "\\d \\w \\s \\D \\W \\S \\xHH \\n \\r \\t \\0 and punctuation"


@attrs.define(slots=True)
class _Reader:
    """
    @ivar at: index of the next character.
    @ivar ignore_case: what C{i} says here.
    @ivar dot_all: what C{s} says here.
    """

    text: str
    ignore_case: bool
    dot_all: bool = False
    at: int = 0
    depth: int = 0

    def whole(self) -> Node:
        flags = _FLAGS.match(self.text)
        if flags is not None and flags["end"] == ")":
            self._set(flags["flags"])
            self.at = flags.end()
        node = self._choice()
        if self.at < len(self.text):
            self._fail("there is no '(' for this ')'")
        return node

    def _fail(self, what: str, at: int | None = None) -> NoReturn:
        place = self.at if at is None else at
        raise ValueError(f"{self.text!r}: {what}, at character {place + 1}")

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _set(self, flags: str) -> None:
        self.ignore_case = self.ignore_case or "i" in flags
        self.dot_all = self.dot_all or "s" in flags

    def _choice(self) -> Node:
        branches = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self) -> Node:
        start = self.at
        node = self._atom()
        bounds = self._bounds()
        if bounds is None:
            return node
        if isinstance(node, Anchor) and self.text[start] != "(":
            self._fail("a place cannot be repeated", start)
        if self._peek() == "?":
            self.at += 1  # lazy: the same language
        elif self._peek() == "+":
            self._fail(f"possessive repeats are not supported: {_LINEAR}")
        elif self._bounds(peek=True) is not None:
            self._fail("a repeat cannot be repeated, a group can")
        return Repeat(node, *bounds)

    def _bounds(self, peek: bool = False) -> tuple[int, int | None] | None:
        """Read a quantifier where one stands."""
        simple: dict[str, tuple[int, int | None]]
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        bounds = simple.get(self._peek())
        end = self.at + 1
        if bounds is None:
            braces = _BRACES.match(self.text, self.at)
            if braces is None or braces[0] == "{}":
                return None  # a brace is a character like others
            bounds = self._counts(braces)
            end = braces.end()
        if not peek:
            self.at = end
        return bounds

    def _counts(self, braces: re.Match[str]) -> tuple[int, int | None]:
        least, comma, most = braces.group("least", "comma", "most")
        low = int(least or 0)
        high = int(most) if most else None if comma else low
        if high is not None and high < low:
            self._fail(f"{{{low},{high}}} ends before it starts")
        return low, high

    def _atom(self) -> Node:
        character = self._peek()
        if character == "(":
            return self._group()
        if character == "[":
            return self._octet(self._class())
        if character in "*+?":
            self._fail("there is nothing to repeat")
        if character == "\\":
            return self._escaped()
        self.at += 1
        if character == ".":
            return Octet(ALL if self.dot_all else ALL ^ octets(b"\n"))
        if character in "^$":
            return Anchor.START if character == "^" else Anchor.END
        return self._literal(character)

    def _literal(self, character: str) -> Node:
        try:
            encoded = character.encode("utf-8")
        except UnicodeEncodeError:
            self._fail("this is not a character, \\xHH names an octet", self.at - 1)
        parts = tuple(self._octet(1 << octet) for octet in encoded)
        return parts[0] if len(parts) == 1 else Sequence(parts)

    def _octet(self, among: int) -> Octet:
        return Octet(both_cases(among) if self.ignore_case else among)

    def _group(self) -> Node:
        start, outside = self.at, (self.ignore_case, self.dot_all)
        if self.depth == MOST_DEPTH:
            self._fail(f"{MOST_DEPTH} groups within each other at most are allowed")
        self._open_group()
        self.depth += 1
        node = self._choice()
        self.depth -= 1
        if self._peek() != ")":
            self._fail("there is no ')' for this '('", start)
        self.at += 1
        self.ignore_case, self.dot_all = outside
        return node

    def _open_group(self) -> None:
        rest = self.text[self.at :]
        flags = _FLAGS.match(rest)
        if flags is not None and flags["end"] == ":":
            self._set(flags["flags"])
            self.at += flags.end()
        elif rest.startswith("(?:"):
            self.at += 3
        elif rest.startswith(("(?=", "(?!", "(?<=", "(?<!")):
            self._fail(f"look-around is not supported: {_LINEAR}")
        elif rest.startswith(("(?P=", "(?(")):
            self._fail(f"back-references are not supported: {_LINEAR}")
        elif rest.startswith("(?"):
            self._fail(f"this group is not supported, {_GROUPS} are")
        else:
            self.at += 1

    def _escaped(self) -> Node:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter in ("A", "Z"):
            self.at += 2
            return Anchor.START if letter == "A" else Anchor.END
        return self._octet(self._escape())

    def _escape(self) -> int:
        """Read a backslash and what belongs to it."""
        start = self.at
        letter = self.text[start + 1 : start + 2]
        self.at += 2
        if letter in _SETS:
            return _SETS[letter]
        if letter == "x":
            return self._hexadecimal(start)
        if letter == "0" and self._peek().isdigit():
            self._fail("octal is not supported, \\xHH is", start)
        if letter in _CONTROLS:
            return 1 << _CONTROLS[letter]
        if letter.isdigit():
            self._fail(f"back-references are not supported: {_LINEAR}", start)
        if letter in ("b", "B"):
            self._fail(f"\\{letter} is not supported: {_LINEAR}", start)
        if not letter.isascii() or letter.isalpha() or letter == "":
            self._fail(f"the escape \\{letter} is not known, {_ESCAPES} are", start)
        return 1 << ord(letter)

    def _hexadecimal(self, start: int) -> int:
        digits = self.text[self.at : self.at + 2]
        if not re.fullmatch("[0-9a-fA-F]{2}", digits):
            self._fail("two hexadecimal digits are needed behind \\x", start)
        self.at += 2
        return 1 << int(digits, 16)

    def _class(self) -> int:
        start = self.at
        self.at += 1
        negative = self._peek() == "^"
        self.at += negative
        among, first = 0, self.at
        while self._peek() != "]" or self.at == first:
            if self._peek() == "":
                self._fail("there is no ']' for this '['", start)
            among |= self._span()
        self.at += 1
        if self.ignore_case:
            among = both_cases(among)
        return ALL ^ among if negative else among

    def _span(self) -> int:
        """Read one member of a class, or a range."""
        start = self.at
        low = self._member()
        if self._peek() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return low
        self.at += 1
        high = self._member()
        if low.bit_count() != 1 or high.bit_count() != 1:
            self._fail("a range has one character at each end", start)
        if high < low:
            self._fail("the range ends before it starts", start)
        return (high << 1) - low

    def _member(self) -> int:
        if self.text.startswith(("[:", "[.", "[="), self.at):
            self._fail("POSIX classes are not supported, \\d \\w \\s are")
        character = self._peek()
        if character == "\\":
            return self._escape()
        if not character.isascii():
            self._fail("a character beyond ASCII is not supported in a class")
        self.at += 1
        return 1 << ord(character)
