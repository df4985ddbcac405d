"""What the command lines take, read from their parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import attrs

from portmux import commands
from portmux.tap import Options

_WIDTH = 10_000
"""Columns, so that nothing is broken into lines."""


@attrs.frozen
class Argument:
    """@ivar spelling: as it is typed, such as C{-c, --config FILE}."""

    spelling: str
    help: str


@attrs.frozen
class Command:
    """@ivar usage: what is typed, the program's name first."""

    name: str
    help: str
    usage: str
    arguments: tuple[Argument, ...]


def subcommands() -> list[Command]:
    """@return: those of C{portmux}, by name."""
    parser = argparse.ArgumentParser(prog="portmux")
    found = parser.add_subparsers()
    commands.load(found)
    return [_command(name, each) for name, each in sorted(found.choices.items())]


def twistd_options() -> list[Argument]:
    """@return: the options of C{twistd portmux}."""
    found = []
    for long, short, default, text in Options.optParameters:
        names = f"-{short}, --{long}" if short else f"--{long}"
        said = f" (default: {default})" if default else ""
        found.append(Argument(f"{names} {str(long).upper()}", f"{text}{said}"))
    for attribute in sorted(vars(Options)):
        if attribute.startswith("opt_"):
            text = (getattr(Options, attribute).__doc__ or "").strip()
            value, colon, rest = text.partition(": ")
            long = "--" + attribute.removeprefix("opt_").replace("_", "-")
            spelling = f"{long} {value}" if colon else long
            found.append(Argument(spelling, rest if colon else text))
    return found


def _command(name: str, parser: argparse.ArgumentParser) -> Command:
    parser.formatter_class = _Wide
    words = parser.format_usage().replace("[-h]", "").split()
    usage = " ".join(words).removeprefix("usage: ")
    return Command(
        name, parser.description or "", usage, tuple(_arguments(parser._actions))
    )


def _arguments(actions: list[argparse.Action]) -> Iterator[Argument]:
    for action in actions:
        if action.help == argparse.SUPPRESS:
            continue
        value = action.metavar or action.dest.upper()
        if action.choices is not None and action.metavar is None:
            value = "{" + ",".join(map(str, action.choices)) + "}"
        if not action.option_strings:
            spelling = str(value)
        else:
            spelling = ", ".join(action.option_strings)
            spelling += f" {value}" if action.nargs != 0 else ""
        yield Argument(spelling, _filled(action))


def _filled(action: argparse.Action) -> str:
    """@return: the help, with what it says of the action itself."""
    known = {"default": action.default, "choices": action.choices}
    return (action.help or "") % known


class _Wide(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)
