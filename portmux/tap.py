"""C{twistd portmux}: options in, a service out."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, ClassVar, NoReturn

import attrs
from twisted.application.service import IService
from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.python import usage

from portmux import __version__
from portmux.app.inputs import inputs
from portmux.app.output import Output
from portmux.app.service import Portmux, Surroundings
from portmux.config.load import Inputs, load
from portmux.config.model import Config, Log
from portmux.config.sources.syntax import Syntax
from portmux.errors import ConfigError, PortmuxError

DEFAULT = "/etc/portmux/portmux.conf"
"""The configuration file where none is named."""

LOGGER = "portmux.tap.output"
"""What C{twistd --logger} is given for our own log format."""

_log = Logger()
_outputs: list[Output] = []


def output() -> ILogObserver:
    """For C{twistd --logger}: our own log on standard error."""
    _outputs.append(Output(sys.stderr))
    return _outputs[-1]


class Options(usage.Options):
    """Command-line options of the daemon."""

    synopsis = "[options]"
    longdesc = "Share one port between many services."
    optParameters: ClassVar[list[list[str | None]]] = [
        ["config", "c", DEFAULT, "Configuration file."],
        ["syntax", None, None, "Its syntax: yaml, toml, json or portsplit."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["set"] = []

    def opt_set(self, setting: str) -> None:
        """PATH=VALUE: set one option over the file's; may be repeated."""
        self["set"].append(setting)

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        print(f"portmux {__version__}")  # noqa: T201 -- that is what it is for
        raise SystemExit(0)

    def parseArgs(self, *arguments: str) -> None:
        if arguments:
            _refuse(
                2, f"portmux: unexpected argument {arguments[0]!r}, none is allowed"
            )

    def postOptions(self) -> None:
        known = [syntax.value for syntax in Syntax]
        if self["syntax"] not in (None, *known):
            _refuse(
                2,
                f"portmux: unknown syntax {self['syntax']!r},"
                f" {', '.join(known)} are allowed",
            )


def makeService(options: Options) -> IService:
    """
    @raise SystemExit: 2, after the faults of the configuration were printed.
    """
    syntax = options["syntax"] and Syntax(options["syntax"])
    given = inputs(options["config"], syntax, options["set"], dict(os.environ))
    try:
        loaded = load(given)
    except ConfigError as error:
        _refuse(2, *error.faults)
    for warning in loaded.warnings:
        _log.warn("{warning}", warning=warning)
    twistd: dict[str, Any] = options.parent or {}
    around = Surroundings(
        reactor=_reactor,
        environ=given.environ,
        load=lambda: _load_again(given),
        configured=_configure if twistd.get("logger") == LOGGER else _check_log,
        own_pid_file=not twistd.get("pidfile"),
        refuse=lambda why: _refuse_start(twistd, why),
    )
    return Portmux(loaded.config, around)


def _reactor() -> Any:
    """Asked for late: twistd installs the one that its options name, and forks."""
    from twisted.internet import reactor  # noqa: PLC0415

    return reactor


def _load_again(given: Inputs) -> Config:
    loaded = load(given)
    for warning in loaded.warnings:
        _log.warn("{warning}", warning=warning)
    return loaded.config


def _configure(config: Config) -> None:
    for made in _outputs:
        made.level = LogLevel.levelWithName(config.log.level)
        made.json = config.log.format == "json"


def _check_log(config: Config) -> None:
    """twistd's own log knows neither levels nor formats."""
    if attrs.evolve(config.log, access=None) != Log():
        _log.warn(
            "log.level and log.format need twistd's option --logger {logger}",
            logger=LOGGER,
        )


def _refuse(status: int, *lines: str) -> NoReturn:
    for line in lines:
        print(line, file=sys.__stderr__)
    raise SystemExit(status)


def _refuse_start(twistd: dict[str, Any], why: str) -> NoReturn:
    """
    One line and status 1, where twistd would print a traceback.

    A daemon tells its parent by an exception, which prints it and ends so.
    """
    _log.critical("{why}", why=why)
    if not twistd.get("nodaemon", True):
        raise PortmuxError(why)
    if twistd.get("pidfile"):
        with suppress(OSError):
            os.unlink(twistd["pidfile"])
    if twistd.get("logger") != LOGGER:
        print(f"portmux: {why}", file=sys.__stderr__)
    raise SystemExit(1)
