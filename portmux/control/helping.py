"""What HELP says, from the table of commands."""

from __future__ import annotations

from collections.abc import Sequence

from portmux.control.reply import Reply
from portmux.control.spell import Command


def explained(table: Sequence[Command], word: str) -> Reply:
    """
    @param word: a command; anything else is ignored where plexy's are all.
    @return: all commands, plexy's first; or what one is for, and what it takes.
    """
    asked = next((each for each in table if each.word == word.strip().upper()), None)
    if word and asked is not None and any(not each.plexy for each in _worded(table)):
        lines = [asked.help]
        lines += [f"{each.usage}: {each.help}" for each in asked.parameters]
        return Reply(asked.usage, tuple(lines))
    return Reply("commands", tuple(each.usage for each in _worded(table)))


def _worded(table: Sequence[Command]) -> list[Command]:
    return [each for each in table if each.word is not None and each.word != "AUTH"]
