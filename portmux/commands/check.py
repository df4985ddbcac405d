"""C{portmux check}: tell whether a configuration is in order."""

from __future__ import annotations

import argparse

from portmux.commands.common import Commands, add_inputs, given_inputs, loaded


def add(commands: Commands) -> None:
    text = "tell whether a configuration is in order"
    parser = commands.add_parser("check", help=text, description=text)
    add_inputs(parser)
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    config = loaded(given_inputs(options)).config
    count = len(config.listeners)
    routes = sum(len(listener.routes) for listener in config.listeners.values())
    print(f"{options.config}: in order, {count} listener(s), {routes} route(s)")
    return 0
