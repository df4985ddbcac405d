"""C{portmux tcp-multiplexer}: its command line, run in the foreground."""

from __future__ import annotations

import argparse
import platform
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import attrs

from portmux import __version__
from portmux.app.inputs import NONE, inputs
from portmux.commands.common import Commands
from portmux.commands.run import foreground
from portmux.compat.tcp_multiplexer import NAME, PROTOCOLS, Server, duration, listen
from portmux.config.faults import quoted
from portmux.config.load import Inputs
from portmux.config.sockets import host

T = TypeVar("T")

WRONG: Final = 1
"""Status for faults of the command line."""

CANNOT: Final = 2
"""Status when it cannot start, or does not know the protocol."""


def add(commands: Commands) -> None:
    text = "share few connections to a target, as tcp-multiplexer would"
    parser = commands.add_parser(NAME, help=text, description=text, allow_abbrev=False)
    _add_arguments(parser)
    parser.set_defaults(command=partial(_do, parser), wrong=WRONG)


def given(words: Sequence[str]) -> Inputs:
    """
    @param words: what tcp-multiplexer is called with.
    @return: the configuration of that.
    """
    parser = argparse.ArgumentParser(prog=NAME, allow_abbrev=False)
    _add_arguments(parser)
    options = parser.parse_args(words)
    return inputs(NONE, None, list(_server(options).settings()), {})


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    words = ("server", "list", "version", "help")
    parser.add_argument(
        "word",
        nargs="?",
        choices=words,
        default="help",
        help="what to do: run, list the protocols, tell the version",
    )
    _add_flags(parser)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    """Each is kept under its name in L{Server}."""
    usual = Server()

    def flag(
        *names: str, dest: str, read: Callable[[str], Any], value: str, text: str
    ) -> None:
        parser.add_argument(
            *names,
            dest=dest,
            type=_typed(read),
            metavar=value,
            help=text,
            default=getattr(usual, dest),
        )

    flag(
        "-l",
        "--listen",
        dest="listen",
        read=listen,
        value="PORT",
        text="port to listen on, at every address, or IP:PORT (8000)",
    )
    flag(
        "-t",
        "--targetServer",
        dest="target",
        read=host,
        value="HOST:PORT",
        text="where requests go (127.0.0.1:1234)",
    )
    flag(
        "-p",
        "--applicationProtocol",
        dest="protocol",
        read=str,
        value="PROTOCOL",
        text=f"one of {', '.join(PROTOCOLS)} (echo)",
    )
    flag(
        "--timeout",
        dest="timeout",
        read=_seconds,
        value="SECONDS",
        text="for a whole request, and for a whole answer (60)",
    )
    flag(
        "--delay",
        dest="delay",
        read=duration,
        value="DURATION",
        text="from connecting to the first request (0)",
    )
    flag(
        "--max-connections",
        dest="connections",
        read=_number,
        value="N",
        text="most connections to the target (1)",
    )
    flag(
        "--reconnect-backoff",
        dest="backoff",
        read=duration,
        value="DURATION",
        text="from a failure to the next attempt; then twice as long, to 30s (1s)",
    )
    flag(
        "--health-check-interval",
        dest="check",
        read=duration,
        value="DURATION",
        text="silence after which the target is asked if it is there (30s)",
    )
    flag(
        "--queue-size",
        dest="queue",
        read=_number,
        value="N",
        text="most requests that wait (32)",
    )
    _add_levels(parser, usual.level)


def _add_levels(parser: argparse.ArgumentParser, usual: str) -> None:
    for names, level, text in (
        (("-v", "--verbose"), "info", "log what happens"),
        (("-d", "--debug"), "debug", "log all there is to tell"),
    ):
        parser.add_argument(
            *names,
            dest="level",
            action="store_const",
            const=level,
            default=usual,
            help=text,
        )


def _server(options: argparse.Namespace) -> Server:
    names = [field.name for field in attrs.fields(Server)]
    return Server(**{name: getattr(options, name) for name in names})


def _do(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    match options.word:
        case "server":
            return _serve(_server(options))
        case "list":
            _list()
        case "version":
            made = f"Python {platform.python_version()}, {platform.system()}"
            print(f"{NAME} of portmux {__version__} ({made})")
        case _:
            parser.print_help()
    return 0


def _serve(server: Server) -> int:
    words = ["--config", NONE]
    for setting in server.settings():
        words += ["--set", setting]
    try:
        return foreground(words)
    except SystemExit as end:
        return CANNOT if end.code else 0


def _list() -> None:
    for name in sorted(PROTOCOLS):
        print(f"* {name}")
    print(f"\nportmux {NAME} server -p NAME shares connections of that protocol")


def _typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """@return: a reader whose faults argparse tells as they are."""

    def typed(text: str) -> T:
        try:
            return read(text)
        except ValueError as wrong:
            raise ArgumentTypeError(str(wrong)) from None

    return typed


def _number(text: str) -> int:
    """@raise ValueError: not a whole number."""
    if not re.fullmatch("[-+]?[0-9]{1,9}", text):
        raise ValueError(f"{quoted(text)} is not a whole number")
    return int(text)


def _seconds(text: str) -> int:
    """@raise ValueError: not a whole number, or less than 1."""
    number = _number(text)
    if number < 1:
        raise ValueError(f"{quoted(text)} is not allowed, 1 or more is")
    return number
