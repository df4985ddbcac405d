"""The man pages: texts of people, in which what is declared is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from manual import examples, roff
from manual.commands import Argument, subcommands, twistd_options
from manual.pages import sections, sentence
from manual.words import CAUSES, ENDS, FIELDS
from portmux import __version__
from portmux.config.reference import Row, rows, told
from portmux.control.commands import ALL
from portmux.core.registry import Registry

TEMPLATES = Path(__file__).parent / "man"


def man_pages(registry: Registry) -> Mapping[str, str]:
    """@return: by file name, such as C{portmux.8}, the text of each page."""
    filled = {
        "VERSION": [__version__],
        "COMMANDS": _commands(),
        "CONTROL": _control(),
        "TWISTD": _arguments(twistd_options()),
        "OPTIONS": _options(),
        "MATCHERS": _kinds(registry.matchers),
        "ACTIONS": _kinds(registry.actions),
        "PROTOCOLS": _kinds(registry.framers),
        "FIELDS": _words(FIELDS),
        "CAUSES": _words(CAUSES),
        "ENDS": _words(ENDS),
    }
    parts = {name: "\n".join(lines) for name, lines in filled.items()}
    return {
        path.stem: re.sub(
            "@([A-Z]+)@", lambda found: parts[found[1]], path.read_text("utf-8")
        )
        for path in sorted(TEMPLATES.glob("*.in"))
    }


def _commands() -> Iterator[str]:
    for command in subcommands():
        yield rf".SS portmux {command.name}"
        yield roff.typed(command.usage)
        yield ".PP"
        yield roff.text(sentence(command.help))
        for line in examples.COMMANDS.get(command.name, ()):
            yield from (".PP", ".RS 4", ".nf", roff.typed(line), ".fi", ".RE")
        yield from _arguments(
            a for a in command.arguments if "--help" not in a.spelling
        )


def _control() -> Iterator[str]:
    for each in ALL:
        if each.word is not None:
            usage = each.word.lower()
            words = [one.usage for one in each.parameters if one.name != "ignored"]
            yield from roff.tagged(" ".join([usage, *words]), each.help)


def _arguments(listed: Iterable[Argument]) -> Iterator[str]:
    for each in listed:
        if each.help:
            yield from roff.tagged(each.spelling, sentence(each.help))


def _options() -> Iterator[str]:
    for path, said, listed in sections():
        if path:
            yield f".SS {roff.typed(path)}"
            yield roff.text(sentence(said))
        for row in listed:
            yield from _option(row.path[-1], row)


def _kinds(kinds: Mapping[str, type[Any]]) -> Iterator[str]:
    for name, kind in kinds.items():
        yield f".SS {name}"
        yield from roff.paragraphs(told(kind))
        for row in rows(kind):
            yield from _option(".".join(row.path), row)


def _option(term: str, row: Row) -> Iterator[str]:
    default = {"": "", "required": "Required", "none given": ""}.get(
        row.default, f"Default: {row.default}"
    )
    example = f"Example: `{row.example.replace('`', '')}`" if row.example else ""
    takes = f"Takes {row.allowed}"
    yield from roff.tagged(
        term, *map(sentence, filter(None, (row.help, takes, default, example)))
    )


def _words(words: Mapping[str, str]) -> Iterator[str]:
    for word, said in words.items():
        yield from roff.tagged(word, sentence(said))
