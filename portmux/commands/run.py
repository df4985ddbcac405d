"""C{portmux run} and C{portmux portsplit}: the daemon in the foreground."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.scripts import twistd

from portmux.commands.common import Commands, add_inputs
from portmux.config.sources.compact import PAIR
from portmux.config.sources.syntax import Syntax
from portmux.tap import LOGGER

_NAME: Final = "portmux"
"""Ours, and that of our plugin."""

_UNPLUGGED: Final = (
    "portmux: twistd does not find the plugin twisted/plugins/portmux_plugin.py;"
    " install portmux, with --config-settings editable_mode=compat if with --editable,"
    " or run it with PYTHONPATH set to where it lies"
)


def add(commands: Commands) -> None:
    text = "run in the foreground; twistd portmux runs a daemon"
    parser = commands.add_parser("run", help=text, description=text)
    add_inputs(parser)
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="listen there, without a file: :443 is every address; may be repeated",
    )
    parser.add_argument(
        "routes",
        metavar=PAIR,
        nargs="*",
        help="with --listen: where connections go, such as ssh=127.0.0.1:22; or "
        "tunnels, without a file: 3000=10.0.0.5:80,10.0.0.6:80",
    )
    parser.set_defaults(command=_run, config=None)
    text = "run a file of portsplit as portsplit would, in the foreground"
    parser = commands.add_parser("portsplit", help=text, description=text)
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(command=_portsplit)


def words(options: argparse.Namespace) -> list[str]:
    """@return: the options of C{portmux run} as C{twistd portmux} has them."""
    found = [] if options.config is None else ["--config", options.config]
    if options.syntax is not None:
        found += ["--syntax", options.syntax]
    for setting in options.set:
        found += ["--set", setting]
    for address in options.listen:
        found += ["--listen", address]
    return [*found, "--", *options.routes]


def _run(options: argparse.Namespace) -> int:
    return foreground(words(options))


def foreground(words: Sequence[str]) -> int:
    """
    Run twistd in this process: Debian calls its script otherwise.

    @param words: options of C{twistd portmux}.
    """
    if (why := unplugged()) is not None:
        print(why, file=sys.stderr)
        return 1
    _fill_standard_streams()
    own = ["--nodaemon", "--pidfile=", f"--logger={LOGGER}"]
    sys.argv = [_NAME, *own, _NAME, *words]
    twistd.run()
    return 0


def unplugged() -> str | None:
    """
    Twisted keeps what it finds in a cache, where whoever asks may write it.

    @return: why twistd, which would only show its usage, does not know us.
    """
    known = any(maker.tapname == _NAME for maker in getPlugins(IServiceMaker))
    return None if known else _UNPLUGGED


def _fill_standard_streams() -> None:
    """No socket of ours may become a standard stream that was closed before."""
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)


def _portsplit(options: argparse.Namespace) -> int:
    syntax = Syntax.PORTSPLIT.value
    return foreground(["--config", options.file, "--syntax", syntax])
