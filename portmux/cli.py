"""The C{portmux} command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeAlias

from twisted.scripts import twistd

from portmux import __version__
from portmux.app.inputs import DEFAULT, inputs
from portmux.compat import portsplit
from portmux.config.complete import DEFAULT as BY_DEFAULT
from portmux.config.complete import complete
from portmux.config.load import Inputs, Loaded, load
from portmux.config.sources.syntax import Syntax
from portmux.config.tree import Origin
from portmux.config.write import write
from portmux.errors import ConfigError
from portmux.tap import LOGGER

# What add_subparsers() gives; the type has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"
Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> None:
    """
    Run one sub-command.

    @raise SystemExit: with the status: 0, 1 when it cannot start, 2 for faults
        of the command line or of a configuration.
    """
    options = _parser().parse_args(argv)
    command: Command = options.command
    try:
        status = command(options)
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        status = 2
    raise SystemExit(status)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, before how it is used."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n{self.format_usage()}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="portmux", description="One port, every service.")
    parser.add_argument("--version", action="version", version=f"portmux {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, text in (
        ("run", _run, "run in the foreground; twistd portmux runs a daemon"),
        ("check", _check, "tell whether a configuration is in order"),
        ("config", _config, "show every value in force, and where it is from"),
    ):
        described = commands.add_parser(name, help=text, description=text)
        described.set_defaults(command=command)
        _add_inputs(described)
    _add_portsplit(commands)
    _add_convert(commands)
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c", "--config", metavar="FILE", default=DEFAULT, help=f"default: {DEFAULT}"
    )
    parser.add_argument(
        "--syntax",
        choices=[syntax.value for syntax in Syntax],
        help="the file's syntax; without it, it is recognised",
    )
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="set one option over the file's; may be repeated",
    )


def _inputs(options: argparse.Namespace) -> Inputs:
    syntax = None if options.syntax is None else Syntax(options.syntax)
    return inputs(options.config, syntax, options.set, dict(os.environ))


def _run(options: argparse.Namespace) -> int:
    words = ["--config", options.config]
    if options.syntax is not None:
        words += ["--syntax", options.syntax]
    for setting in options.set:
        words += ["--set", setting]
    return _twistd(words)


def _twistd(words: Sequence[str]) -> int:
    """Run twistd in this process: Debian calls its script otherwise."""
    _fill_standard_streams()
    own = ["--nodaemon", "--pidfile=", f"--logger={LOGGER}"]
    sys.argv = ["portmux", *own, "portmux", *words]
    twistd.run()
    return 0


def _fill_standard_streams() -> None:
    """No socket of ours may become a standard stream that was closed before."""
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)


def _check(options: argparse.Namespace) -> int:
    loaded = _loaded(_inputs(options))
    count = len(loaded.config.listeners)
    routes = sum(len(it.routes) for it in loaded.config.listeners.values())
    print(f"{options.config}: in order, {count} listener(s), {routes} route(s)")
    return 0


def _config(options: argparse.Namespace) -> int:
    given = _inputs(options)
    tree = complete(_loaded(given).tree, given.registry)
    print(write(tree, _note), end="")
    return 0


def _note(origin: Origin) -> str:
    return "default" if origin is BY_DEFAULT else str(origin)


def _loaded(given: Inputs) -> Loaded:
    """@raise ConfigError: there are faults."""
    loaded = load(given)
    for warning in loaded.warnings:
        print(warning, file=sys.stderr)
    return loaded


def _add_portsplit(commands: Commands) -> None:
    text = "run a file of portsplit as portsplit would, in the foreground"
    parser = commands.add_parser("portsplit", help=text, description=text)
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(command=_portsplit)


def _portsplit(options: argparse.Namespace) -> int:
    syntax = Syntax.PORTSPLIT.value
    return _twistd(["--config", options.file, "--syntax", syntax])


def _add_convert(commands: Commands) -> None:
    text = "print what an older program's configuration is in portmux.conf"
    parser = commands.add_parser("convert", help=text, description=text)
    parser.add_argument("--from", dest="origin", choices=["portsplit"], required=True)
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    given = inputs(options.file, Syntax.PORTSPLIT, [], {})
    print(portsplit.convert(_loaded(given)), end="")
    return 0
