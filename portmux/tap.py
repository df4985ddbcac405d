"""C{twistd portmux}: options in, a service out."""

from __future__ import annotations

import encodings.idna  # noqa: F401 -- resolving wants it, where --chroot hides it
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from typing import Any, ClassVar, Final, NoReturn

import attrs
from twisted.application.service import IService
from twisted.logger import Logger, LogLevel
from twisted.python import usage

from portmux import __version__
from portmux.app.inputs import DEFAULT, NONE, inputs
from portmux.app.output import Output
from portmux.app.service import Portmux
from portmux.app.shadowed import MOST, Shadowed
from portmux.app.signals import Signals
from portmux.app.surroundings import Surroundings
from portmux.config.load import Inputs, load
from portmux.config.logs import Log
from portmux.config.model import Config
from portmux.config.sources.compact import Compact
from portmux.config.sources.syntax import Syntax
from portmux.config.sources.tunnel import is_meant
from portmux.errors import ConfigError

LOGGER = "portmux.tap.output"
"""What C{twistd --logger} is given for our own log format."""

_STANDARD_ERROR: Final = 2

_log = Logger()


@cache
def output() -> Output:
    """For C{twistd --logger}: our own log on standard error."""
    return Output(_STANDARD_ERROR)


class Options(usage.Options):
    """Command-line options of the daemon."""

    synopsis = "[options] [TUNNEL ...] [MATCHER=BACKEND ...]"
    longdesc = "Share one port between many services."
    optParameters: ClassVar[list[list[str | None]]] = [
        ["config", "c", None, f"Configuration file, or {NONE}; without it {DEFAULT}."],
        ["syntax", None, None, "Its syntax: yaml, toml, json or portsplit."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["set"] = []
        self["listen"] = []
        self["compact"] = None
        self["tunnels"] = []

    def parseOptions(self, options: list[str] | None = None) -> None:
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            _refuse(2, f"portmux: {error}; --help lists all options")

    def opt_set(self, setting: str) -> None:
        """PATH=VALUE: set one option over the file's; may be repeated."""
        self["set"].append(setting)

    def opt_listen(self, address: str) -> None:
        """ADDRESS such as :443: listen there, without a file; may be repeated."""
        self["listen"].append(address)

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        print(f"portmux {__version__}")  # noqa: T201 -- that is what it is for
        raise SystemExit(0)

    def parseArgs(self, *words: str) -> None:
        """What tunnels, and what MATCHER=BACKEND pairs there are."""
        self["tunnels"] = [word for word in words if "=" in word and is_meant(word)]
        routes = tuple(word for word in words if word not in self["tunnels"])
        if routes and not self["listen"] and "=" not in routes[0]:
            _refuse(
                2,
                f"portmux: unexpected argument {routes[0]!r};"
                " a configuration is given by -c FILE",
            )
        if routes or self["listen"]:
            self["compact"] = Compact(tuple(self["listen"]), routes)

    def postOptions(self) -> None:
        if self["compact"] is None:
            usual = None if self["tunnels"] else DEFAULT
            self["config"] = self["config"] or usual
        elif self["config"] is not None:
            other = "--listen" if self["listen"] else "MATCHER=BACKEND"
            _refuse(2, f"portmux: there are -c and {other}, one of them is allowed")
        known = [syntax.value for syntax in Syntax]
        if self["syntax"] not in (None, *known):
            _refuse(
                2,
                f"portmux: unknown syntax {self['syntax']!r},"
                f" {', '.join(known)} are allowed",
            )


def given_inputs(options: Options, environ: Mapping[str, str]) -> Inputs:
    """@return: the configuration that the options name."""
    syntax = options["syntax"] and Syntax(options["syntax"])
    return inputs(
        options["config"],
        syntax,
        options["set"],
        environ,
        compact=options["compact"],
        tunnels=options["tunnels"],
    )


def makeService(options: Options) -> IService:
    """
    @raise SystemExit: 2, after the faults of the configuration were printed.
    """
    signals = Signals()
    signals.hold()
    given = given_inputs(options, dict(os.environ))
    fresh = partial(_loaded, given, Shadowed(MOST))
    try:
        config = fresh()
    except ConfigError as error:
        _refuse(2, *error.faults)
    twistd: Mapping[str, Any] = options.parent or {}
    configured = partial(_configured, twistd)
    configured(config)  # twistd speaks before we run
    around = Surroundings(
        reactor=_reactor,
        environ=given.environ,
        load=fresh,
        configured=configured,
        obey=signals.install,
        own_pid_file=not twistd.get("pidfile"),
        refuse=lambda why: _refuse_start(twistd, why),
        output=output() if twistd.get("logger") is output else None,
        tree=lambda: load(given).tree,
    )
    return Portmux(config, around)


def _reactor() -> Any:
    """Asked for late: twistd installs the one that its options name, and forks."""
    from twisted.internet import reactor  # noqa: PLC0415

    return reactor


def _loaded(given: Inputs, shadowed: Shadowed) -> Config:
    loaded = load(given)
    for warning in (*loaded.warnings, *shadowed.warnings(loaded)):
        _log.warn("{text}", text=warning)
    return loaded.config


def _configured(twistd: Mapping[str, Any], config: Config) -> None:
    """Have the log be as configured; say what twistd's own cannot do."""
    log, level = config.log, LogLevel.levelWithName
    if twistd.get("logger") is output:
        levels = {part: level(name) for part, name in log.levels.items()}
        output().limit(level(log.level), levels)
        output().json = log.format == "json"
    elif attrs.evolve(log, access=None, rotate=None) != Log():
        _log.warn(
            "log.level, levels, format and output need twistd's option"
            " --logger {logger}",
            logger=LOGGER,
        )
    if twistd.get("pidfile") and config.pid is not None:
        _log.warn("pid means nothing under twistd, which has the option --pidfile")


def _refuse(status: int, *lines: str) -> NoReturn:
    for line in lines:
        print(line, file=sys.__stderr__)
    raise SystemExit(status)


def _refuse_start(twistd: Mapping[str, Any], why: str) -> NoReturn:
    """
    One line and status 1, where twistd would print a traceback.

    A daemon's parent waits for that line and ends with the status.
    """
    _log.critical("{why}", why=why)
    if twistd.get("pidfile"):
        with suppress(OSError):
            os.unlink(twistd["pidfile"])
    if "statusPipe" in twistd:
        os.write(twistd["statusPipe"], f"1 {why}".encode("ascii", "replace")[:100])
    elif twistd.get("logger") is not output:
        print(f"portmux: {why}", file=sys.__stderr__)
    raise SystemExit(1)
