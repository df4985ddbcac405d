"""C{portmux completion}: scripts that complete command lines in bash and zsh."""

from __future__ import annotations

import argparse
from functools import partial

from portmux.app.build import registry
from portmux.commands.common import Commands
from portmux.commands.scripts import SHELLS, Argument, Command, Kind
from portmux.config.sources.compact import PAIR, bare_matchers


def add(commands: Commands) -> None:
    text = "print a script that completes command lines"
    parser = commands.add_parser("completion", help=text, description=text)
    parser.add_argument("shell", choices=list(SHELLS))
    parser.set_defaults(command=partial(_completion, commands))


def _completion(commands: Commands, options: argparse.Namespace) -> int:
    print(SHELLS[options.shell](described(commands)), end="")
    return 0


def described(commands: Commands) -> list[Command]:
    """@return: all sub-commands, as their parsers have them, by name."""
    # argparse shows the help texts of sub-commands, and what a parser takes, to
    # nobody but itself; its names for them are old and steady.
    texts = {each.dest: each.help or "" for each in commands._choices_actions}
    return [
        Command(name, texts.get(name, ""), tuple(map(_argument, parser._actions)))
        for name, parser in sorted(commands.choices.items())
    ]


def _argument(action: argparse.Action) -> Argument:
    value = str(action.metavar or action.dest)
    names = tuple(action.option_strings)
    many = action.nargs == "*" or isinstance(action, argparse._AppendAction)
    words = tuple(map(str, action.choices or ()))
    kind = Kind.TEXT
    if action.nargs == 0:
        kind = Kind.NOTHING
    elif words:
        kind = Kind.WORDS
    elif value == "FILE":
        kind = Kind.FILE
    elif value == PAIR:
        kind, words = Kind.ROUTE, _routes()
    return Argument(names, action.help or "", kind, value, words, many)


def _routes() -> tuple[str, ...]:
    """@return: beginnings of routes, as C{run --listen} takes them."""
    return tuple(f"{name}=" for name in bare_matchers(registry()))
