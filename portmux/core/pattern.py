"""Patterns for whole pieces of text: shell globs and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from fnmatch import translate

import attrs

from portmux.core.option import option
from portmux.core.regex.automaton import Automaton

Test = Callable[[str], bool]


def some(values: Sized) -> None:
    """
    Check an option that was given: no value at all would let anything match.

    @raise ValueError: there is none.
    """
    if not values:
        raise ValueError("there is no value, at least one is needed")


@attrs.frozen
class Pattern:
    """
    What a whole text must look like; time is linear in the text.

    In a glob C{*} stands for any characters, dots and slashes too, C{?} for any
    one, C{[abc]}, C{[a-z]} and C{[!abc]} for one of a set.
    """

    glob: str | None = option(
        "text in which * is any characters, ? any one, [abc] one of these",
        default=None,
        value=True,
        example="*.example.org",
    )
    regex: str | None = option(
        "regular expression for the whole text",
        default=None,
        example="(www|git)[.]example[.]org",
    )
    _test: Test = attrs.field(init=False, eq=False, repr=False)

    @_test.default
    def _compile(self) -> Test:
        return self._made(ignore_case=False)

    def matches(self, text: str) -> bool:
        """@return: the pattern fits C{text} from its start to its end."""
        return self._test(text)

    def ignoring_case(self) -> Test:
        """@return: the same question for text in lower case, made anew at each call."""
        return self._made(ignore_case=True)

    def __str__(self) -> str:
        return self.glob if self.glob is not None else f"regex {self.regex}"

    def _made(self, ignore_case: bool) -> Test:
        if (self.glob is None) == (self.regex is None):
            raise ValueError("one of glob and regex is needed")
        if self.glob is not None:
            return _globbing(self.glob.lower() if ignore_case else self.glob)
        automaton = Automaton.of_text(self.regex or "", ignore_case)
        return lambda text: automaton.matches(text.encode("utf-8", "surrogateescape"))


def _globbing(glob: str) -> Test:
    """Most globs are plain text, or plain text with one star at an end."""
    body = glob.strip("*")
    if not any(character in body for character in "*?["):
        match glob.startswith("*"), glob.endswith("*"):
            case False, False:
                return glob.__eq__
            case True, False:
                return lambda text: text.endswith(body)
            case False, True:
                return lambda text: text.startswith(body)
            case _:
                return lambda text: body in text
    # Linear: for each star translate() gives an atomic group, or what amounts to it.
    found = re.compile(translate(glob)).match
    return lambda text: found(text) is not None
