"""The options of control while portmux runs; L{portmux.config.model} has all others."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from portmux.config.checks import PATH, Clashes, Given, hold, is_private, like
from portmux.config.values import OwnAddress
from portmux.core.option import option

USUAL: Final = "usual"
"""In place of a path: C{control} in the directory that is made for such things."""

_NAME: Final = like(r"\*|[A-Za-z0-9_.-]{1,253}", "a host's name")


def _names(hosts: tuple[str, ...]) -> None:
    for host in hosts:
        _NAME(host)


@attrs.frozen
class Control:
    """How portmux is watched and changed while it runs."""

    line: OwnAddress | None = option(
        "where lines of text are understood, as nc and telnet send them; beyond "
        "loopback token-file is needed; none: nowhere",
        default=None,
        example="127.0.0.1:9999",
    )
    rpc: OwnAddress | None = option(
        "where JSON-RPC is understood, over HTTP and WebSocket; beyond loopback "
        "token-file is needed; none: nowhere",
        default=None,
        example="127.0.0.1:9998",
    )
    socket: str | None = option(
        "unix socket of portmux ctl, with mode 0600; usual: control in "
        "/run/portmux for a service, in $XDG_RUNTIME_DIR/portmux for users; none: "
        "nowhere",
        default=USUAL,
        check=PATH,
        example="/run/portmux/control",
    )
    token_file: str | None = option(
        "file whose first line everybody has to say who comes by line or rpc; none: "
        "nobody is asked",
        default=None,
        check=PATH,
        example="/etc/portmux/token",
    )
    hosts: tuple[str, ...] = option(
        "names by which rpc may be called, beside localhost and IP addresses",
        default=(),
        check=_names,
        example="[portmux.example.org]",
    )
    commands: Literal["all", "plexy"] = option(
        "which commands there are: all, or those of plexy alone",
        default="all",
        example="plexy",
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        places = {name: given.get(name) for name in ("line", "rpc")}
        used = [place for place in places.values() if place is not None]
        if len(used) == 2 and used[0] == used[1] and getattr(used[0], "port", 1):
            yield ("rpc",), f"{used[0]} is that of line, another is allowed"
        if "token_file" not in given or given["token_file"] is not None:
            return
        for name, place in places.items():
            if place is not None and not is_private(place):
                yield (
                    (name,),
                    f"{place} may be beyond loopback, where anybody could change "
                    "what portmux does: token-file is needed",
                )
