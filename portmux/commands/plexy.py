"""C{portmux plexy}: its command line, run in the foreground."""

from __future__ import annotations

import argparse
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, TypeVar

from portmux import __version__
from portmux.app.inputs import NONE, inputs
from portmux.commands.common import Commands
from portmux.commands.run import foreground
from portmux.compat.plexy import HELP_TUNNEL, NAME, Plexy, seconds, socket, whole
from portmux.config.load import Inputs

T = TypeVar("T")

_MOST: Final = 1 << 53
"""Of errors, and octets: what a configuration takes."""


def add(commands: Commands) -> None:
    text = "open tunnels and change them by a line protocol, as plexy would"
    parser = commands.add_parser(NAME, help=text, description=text, allow_abbrev=False)
    _add_arguments(parser)
    parser.set_defaults(command=_run)


def given(words: Sequence[str]) -> Inputs:
    """
    @param words: what plexy is called with.
    @return: the configuration of that.
    """
    parser = argparse.ArgumentParser(prog=NAME, allow_abbrev=False)
    _add_arguments(parser)
    return inputs(NONE, None, _settings(parser.parse_args(words)), {})


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add plexy's options, and one of ours for sockets beyond loopback."""
    add = parser.add_argument
    for names, what in (
        (("-c", "--control-socket"), "where lines of text are understood"),
        (("-r", "--rpc-socket"), "where JSON-RPC is understood"),
        (("--prometheus-socket",), "where metrics are read"),
    ):
        add(*names, type=_typed(socket), metavar="IP:PORT", help=what)
    text = "what clients of these have to say; beyond loopback it is needed"
    add("--token-file", metavar="FILE", help=text)
    text = "octets; taken and not needed: portmux finds a size by itself"
    add("--copy-buffer-size", type=_whole(_MOST), metavar="N", help=text)
    text = "time of one attempt to connect, where a tunnel does not say timeout"
    _add_seconds(parser, "--remote-timeout", text)
    text = "attempts to connect, where a tunnel does not say retries; default: 3"
    _add_whole(parser, "--remote-retries", 0xFFFF, 3, text)
    text = "failures after which a remote is dead; default: 1"
    _add_whole(parser, "--remote-errors", _MOST, 1, text)
    text = "time until a dead remote is tried again"
    _add_seconds(parser, "--remote-dead-check-interval", text)
    text = "certificates to trust in place of the system's, PEM"
    add("--ca-bundle", metavar="FILE", help=text)
    text = "tell what a tunnel is written like"
    add("--help-tunnel", action=_HelpTunnel, help=text)
    add("-V", "--version", action="version", version=f"portmux {__version__}")
    text = "local socket, remotes and options: 3000=3001,3002[retries=5]"
    add("tunnels", metavar="TUNNEL", nargs="*", help=text)


def _add_seconds(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    text += ", in seconds; default: 10"
    read = _typed(seconds)
    parser.add_argument(name, type=read, metavar="SECONDS", default=10.0, help=text)


def _add_whole(
    parser: argparse.ArgumentParser, name: str, most: int, default: int, text: str
) -> None:
    parser.add_argument(
        name, type=_whole(most), metavar="N", default=default, help=text
    )


def _run(options: argparse.Namespace) -> int:
    try:
        settings = _settings(options)
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    return foreground(
        ["--config", NONE, *(word for one in settings for word in ("--set", one))]
    )


def _settings(options: argparse.Namespace) -> list[str]:
    """@raise ValueError: a tunnel is none."""
    made = Plexy(
        control=options.control_socket,
        rpc=options.rpc_socket,
        prometheus=options.prometheus_socket,
        token=options.token_file,
        timeout=options.remote_timeout,
        retries=options.remote_retries,
        errors=options.remote_errors,
        check=options.remote_dead_check_interval,
        bundle=options.ca_bundle,
        tunnels=options.tunnels,
    )
    return list(made.settings())


class _HelpTunnel(argparse.Action):
    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *given: object) -> NoReturn:
        print(HELP_TUNNEL, end="")
        parser.exit(0)


def _whole(most: int) -> Callable[[str], int]:
    return _typed(lambda text: whole(text, most))


def _typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """@return: a reader whose faults argparse tells as they are."""

    def typed(text: str) -> T:
        try:
            return read(text)
        except ValueError as wrong:
            raise ArgumentTypeError(str(wrong)) from None

    return typed
