"""C{portmux check}: tell whether a configuration is in order."""

from __future__ import annotations

import argparse
import sys

from portmux.app.build import draft, policy
from portmux.app.lacking import look
from portmux.app.probe import probe
from portmux.app.shadowed import Shadowed
from portmux.app.tunnels import opened
from portmux.commands.common import Commands, add_inputs, given_inputs, loaded
from portmux.config.faults import Faults
from portmux.config.model import Config
from portmux.core.limits import Count, Gate, Limits
from portmux.core.pools import Pools


def add(commands: Commands) -> None:
    text = "tell whether a configuration is in order"
    parser = commands.add_parser("check", help=text, description=text)
    add_inputs(parser)
    parser.add_argument(
        "--probe",
        action="store_true",
        help="connect to each backend once; status 1 when one does not answer",
    )
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    given = given_inputs(options)
    found = loaded(given)
    faults = Faults()
    look(found, given.registry, faults)
    for warning in (*Shadowed().warnings(found), *faults.warnings):
        print(warning, file=sys.stderr)
    faults.check()
    config = opened(found.config)
    count = len(config.listeners)
    routes = sum(len(listener.routes) for listener in config.listeners.values())
    print(f"{options.config}: in order, {count} listener(s), {routes} route(s)")
    return _probe(config) if options.probe else 0


def _probe(config: Config) -> int:
    """@return: 1 when a backend does not answer."""
    pools = draft(config, Pools())
    results = probe(
        policy(name, listener, Gate(Limits(), Count()), draft=pools)
        for name, listener in config.listeners.items()
    )
    for one in results:
        line = f"listener {one.listener}, route {one.route}, backend {one.backend}"
        if one.why is None:
            print(f"{line}: answers")
        else:
            print(f"{line}: {one.why}", file=sys.stderr)
    return 1 if any(one.why is not None for one in results) else 0
