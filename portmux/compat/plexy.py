"""The command line of plexy: sockets, defaults of tunnels, and tunnels."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from portmux.config import sockets
from portmux.config.checks import is_private
from portmux.config.faults import quoted
from portmux.config.quantities import show_seconds
from portmux.config.sources.tunnel import Unparsed, tunnel
from portmux.core.address import Host
from portmux.errors import ConfigError

NAME: Final = "plexy"

HELP_TUNNEL: Final = """\
LOCAL=REMOTE,REMOTE[OPTION=VALUE,OPTION=VALUE]

LOCAL and each REMOTE is PORT, which is one of 127.0.0.1, or HOST:PORT, where HOST
is a name, an IPv4 address, or an IPv6 address in brackets. No blanks.

options:
  strategy=NAME         random (the default), round-robin, minimum-open-connections,
                        and others of portmux
  retries=N             attempts to connect for each client, all in all
  timeout=SECONDS       for one of them
  errors=N              failures in a row after which a remote is dead
  check-interval=SECONDS
                        until a dead remote is tried again
  remote-tls=true|false speak TLS to the remotes
"""

SPECIFICATION: Final = "Invalid initial tunnels specification: "
"""Before what is wrong with a tunnel."""

_LONGEST: Final = 1000 * 86400.0
"""Seconds; as everywhere in a configuration."""

_SHORTEST: Final = 0.001
"""Seconds; a shorter pause would be none."""


def socket(text: str) -> Host:
    """@raise ValueError: the text is no address with a port."""
    found = sockets.bind_host(text, least=0, meant=sockets.LOOPBACK)
    if found.host == "*":
        raise ValueError(f"{quoted(text)} is not IP:PORT or [V6]:PORT")
    return found


def whole(text: str, most: int) -> int:
    """@raise ValueError: the text is no whole number, or more than C{most}."""
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > most:
        raise ValueError(f"{quoted(text)} is not a whole number, 0 to {most}")
    return int(text)


def seconds(text: str) -> float:
    """@raise ValueError: the text is no number of seconds."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= _LONGEST:
        raise ValueError(
            f"{quoted(text)} is not a number of seconds, 0 to {_LONGEST:.0f}"
        )
    return found


@attrs.frozen(kw_only=True)
class Plexy:
    """
    What plexy is called with; times are seconds.

    @ivar token: file of what clients have to say; plexy has none.
    """

    control: Host | None = None
    rpc: Host | None = None
    prometheus: Host | None = None
    token: str | None = None
    timeout: float = 10.0
    retries: int = 3
    errors: int = 1
    check: float = 10.0
    bundle: str | None = None
    tunnels: Sequence[str] = ()

    def settings(self) -> Iterator[str]:
        """
        @return: C{PATH=VALUE}: what a portmux.conf would say.
        @raise ValueError: a tunnel is none; the text says which.
        @raise ConfigError: a socket needs a token.
        """
        if faults := list(self._exposed()):
            raise ConfigError(faults)
        yield f"tunnels={_said(self._tunnels())}"
        yield f"control={_said(self._control())}"
        if self.prometheus is not None:
            said = {"prometheus": str(self.prometheus), "token-file": self.token}
            yield f"metrics={_said(said)}"
        yield "start=any"
        yield "drain=0s"

    def _exposed(self) -> Iterator[str]:
        """@return: a line for each socket that anybody could use."""
        places = {
            "-c/--control-socket": self.control,
            "-r/--rpc-socket": self.rpc,
            "--prometheus-socket": self.prometheus,
        }
        for option, address in places.items():
            if self.token is None and address and not is_private(address):
                yield (
                    f"{option}: {address} may be beyond loopback, where anybody could"
                    " use it: --token-file is needed"
                )

    def _tunnels(self) -> dict[str, Any]:
        return {
            "open": [_read(text) for text in self.tunnels],
            "timeout": show_seconds(self.timeout),
            "retries": self.retries,
            "errors": self.errors,
            "check-interval": show_seconds(max(_SHORTEST, self.check)),
            "ca-bundle": self.bundle,
        }

    def _control(self) -> dict[str, Any]:
        asked = self.control is not None or self.rpc is not None
        return {
            "line": None if self.control is None else str(self.control),
            "rpc": None if self.rpc is None else str(self.rpc),
            "socket": "none",
            "token-file": self.token if asked else None,
            "hosts": None if self.rpc is None else ["*"],
            "commands": "plexy",
        }


def _read(text: str) -> str:
    """@raise ValueError: it is no tunnel."""
    try:
        return str(tunnel(text))
    except Unparsed as wrong:
        raise ValueError(f"{SPECIFICATION}{text}: {wrong}") from None


def _said(options: dict[str, Any]) -> str:
    """@return: what is known of them, as YAML on one line."""
    return json.dumps({k: value for k, value in options.items() if value is not None})
