"""C{portmux check}: tell whether a configuration is in order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from portmux.app.build import draft, policy
from portmux.app.probe import probe
from portmux.app.tunnels import opened
from portmux.commands.common import Commands, add_inputs, given_inputs, loaded
from portmux.config.faults import Faults
from portmux.config.load import Loaded
from portmux.config.model import Config
from portmux.config.tree import Origin, Table, nearest_node
from portmux.core.limits import Count, Gate, Limits
from portmux.core.pools import Pools
from portmux.core.shadow import Shadow, shadows


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
    found = loaded(given_inputs(options))
    for warning in _warnings(found):
        print(warning, file=sys.stderr)
    config = opened(found.config)
    count = len(config.listeners)
    routes = sum(len(listener.routes) for listener in config.listeners.values())
    print(f"{options.config}: in order, {count} listener(s), {routes} route(s)")
    return _probe(config) if options.probe else 0


def _warnings(found: Loaded) -> Sequence[str]:
    """@return: a line for each route that can never win."""
    faults = Faults()
    for name, listener in found.config.listeners.items():
        for shadow in shadows([route.match for route in listener.routes]):
            origins = [
                _origin(found.tree, name, index)
                for index in range(len(listener.routes))
            ]
            names = [route.name for route in listener.routes]
            path = ("listeners", name, "routes", str(shadow.route))
            text = _warning(shadow, names, origins)
            faults.warn(origins[shadow.route], text, path)
    return faults.warnings


def _warning(shadow: Shadow, names: Sequence[str], origins: Sequence[Origin]) -> str:
    route = f'warning: route "{names[shadow.route]}"'
    if not shadow.by:
        return f"{route} can match nothing"
    above = ", ".join(f'"{names[index]}" ({origins[index]})' for index in shadow.by)
    take = "takes" if len(shadow.by) == 1 else "together take"
    return f"{route} can never win: {above} above it {take} all that it matches"


def _origin(tree: Table, listener: str, route: int) -> Origin:
    return nearest_node(tree, ("listeners", listener, "routes", str(route))).origin


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
