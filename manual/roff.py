"""Text in the man macros: see man(7) and groff_man(7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CODE = re.compile(r"`([^`]*)`")


def text(words: str) -> str:
    """@return: a line of running text, in which backquotes mark what is typed."""
    parts = _CODE.split(" ".join(words.split()))
    return _started(
        "".join(
            rf"\fB{_escaped(part).replace('-', chr(92) + '-')}\fR"
            if index % 2
            else _escaped(part)
            for index, part in enumerate(parts)
        )
    )


def typed(words: str) -> str:
    """@return: a line of what is typed as it stands there, all in one font."""
    return _started(_escaped(words).replace("-", r"\-"))


def paragraphs(words: str) -> Iterator[str]:
    for index, paragraph in enumerate(words.split("\n\n")):
        if index:
            yield ".PP"
        yield text(paragraph)


def tagged(term: str, *sentences: str) -> Iterator[str]:
    """A term and, indented, what it means."""
    yield from (".TP", rf"\fB{_escaped(term).replace('-', chr(92) + '-')}\fR")
    yield text(" ".join(sentences))


def _escaped(words: str) -> str:
    """A tilde, a caret and a quote are others in a man page, unless they are named."""
    named = {"\\": r"\e", "~": r"\(ti", "^": r"\(ha", "'": r"\(aq", "`": r"\(ga"}
    return "".join(named.get(character, character) for character in words)


def _started(line: str) -> str:
    """What starts with a dot is no request."""
    return rf"\&{line}" if line.startswith(".") else line
