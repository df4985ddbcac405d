"""C{portmux ctl}: give commands to a running portmux, from a shell."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

import attrs

from portmux.app.steering import read_token
from portmux.commands import top
from portmux.commands.common import Commands
from portmux.commands.talk import Refused, Talk, Unreachable
from portmux.control.commands import ALL, Diff, Save, Watch
from portmux.control.reply import word
from portmux.control.spell import Command, of_line
from portmux.control.watching import as_line
from portmux.errors import CommandError, PortmuxError

_MOUTHS: Final = ("EXIT", "AUTH")
"""Commands that mean nothing from a shell."""

_TOP: Final = "top"


def add(commands: Commands) -> None:
    text = "watch and change a running portmux"
    parser = commands.add_parser("ctl", help=text, description=text)
    parser.add_argument(
        "--at",
        metavar="ADDRESS",
        help="its control socket, or its line address; without it "
        "unix:$XDG_RUNTIME_DIR/portmux/control or unix:/run/portmux/control",
    )
    parser.add_argument(
        "--token-file", metavar="FILE", help="what has to be said at a line address"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--once", action="store_true", help="with top: print it once, and end"
    )
    words = [each.word.lower() for each in ALL if each.word and _is_told(each)]
    parser.add_argument(
        "asked",
        metavar="COMMAND",
        type=str.lower,
        choices=[*words, _TOP],
        help="help lists all of them; top is a table that is drawn anew each second",
    )
    parser.add_argument(
        "words", metavar="WORD", nargs="*", default=[], help="what it takes"
    )
    parser.set_defaults(command=_ctl)


def _is_told(command: Command) -> bool:
    return command.word not in _MOUTHS


def _ctl(options: argparse.Namespace) -> int:
    """@return: 0; 1 when it was not done, 2 when it cannot be asked for."""
    line = " ".join([options.asked, *options.words])
    try:
        _refuse_second(line)
        command = None if options.asked == _TOP else of_line(ALL, line)
        talk = Talk.to(options.at, os.environ)
    except (CommandError, ValueError) as wrong:
        print(f"portmux ctl: {_plain(str(wrong))}", file=sys.stderr)
        return 2
    except Unreachable as wrong:
        print(f"portmux ctl: {wrong}", file=sys.stderr)
        return 1
    with closing(talk):
        try:
            if options.token_file is not None:
                talk.say(read_token(options.token_file, os.getcwd()).decode())
            _do(talk, options, command, line)
        except (Refused, Unreachable, PortmuxError) as wrong:
            print(f"portmux ctl: {_plain(str(wrong))}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0
    return 0


def _refuse_second(line: str) -> None:
    """@raise ValueError: a word holds an end of line, behind which others begin."""
    if "\n" in line:
        raise ValueError("a word holds an end of line, which no command takes")


def _do(talk: Talk, options: argparse.Namespace, command: Any, line: str) -> None:
    """@raise Refused: it was not done."""
    declared = next((each for each in ALL if each.kind is type(command)), None)
    if command is None:
        if options.json:
            print(json.dumps(top.taken(talk, 0.0).told(), indent=2))
        else:
            top.show(talk, options.once or not sys.stdout.isatty())
    elif isinstance(command, Watch):
        _watch(talk, options.json)
    elif declared is not None and declared.method and _as_data(command, options.json):
        given = attrs.asdict(command, recurse=False)
        params = {name: value for name, value in given.items() if value is not None}
        result = talk.call(declared.method, params)
        print(json.dumps(result, indent=2) if options.json else _shown(result))
    elif isinstance(command, Save | Diff):
        lines = talk.text(line)
        print("\n".join(lines[1:] or lines))
    else:
        lines = talk.text(line)
        if options.json:
            print(json.dumps(lines, indent=2))
        elif lines:
            print("\n".join(lines))


def _as_data(command: Any, as_json: bool) -> bool:
    """@return: whether the result is asked for, and not the text of the reply."""
    declared = next(each for each in ALL if each.kind is type(command))
    return as_json or declared.rows


def _watch(talk: Talk, as_json: bool) -> None:
    for event in talk.events():
        text = json.dumps(event) if as_json else as_line(event).decode().strip()
        print(text, flush=True)


def _shown(rows: Sequence[dict[str, Any]]) -> str:
    """@return: a table with a column for each thing that is told of all rows."""
    if not rows:
        return "none"
    head = [name.replace("_", "-").upper() for name in rows[0]]
    cells = [[_cell(value) for value in row.values()] for row in rows]
    return "\n".join(top.table([head, *cells]))


def _cell(value: Any) -> str:
    return "-" if value is None else word(value)


def _plain(text: str) -> str:
    return text.removeprefix("Control protocol error: ")
