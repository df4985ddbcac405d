"""Tell which addresses a whole configuration waits on, and which of them clash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from portmux.config.checks import Clashes, Given
from portmux.config.tree import Path
from portmux.core.address import BindAddress


def clashes(given: Given) -> Clashes:
    """@param given: fields of L{portmux.config.model.Config}."""
    if not _serves(given):
        yield ("listeners",), "there are neither listeners nor tunnels, one is needed"
    taken: Counter[BindAddress] = Counter()
    chosen: set[tuple[Path, BindAddress]] = set()
    for path, address in _addresses(given):
        taken[address] += 1
        if getattr(address, "port", None) == 0:
            if (path[:2], address) in chosen:
                why = "once in a listener is allowed"
                yield path, f"{address} is bound already, {why}"
            chosen.add((path[:2], address))
        elif taken[address] > 1:
            yield path, f"{address} is bound already, once is allowed"
    for path, own in _own(given):
        if own in taken and getattr(own, "port", None) != 0:
            yield path, f"{own} is a listener's, another is allowed"


def _serves(given: Given) -> bool:
    """@return: whether there is something to do; also if that is not known."""
    tunnels, control = given.get("tunnels"), given.get("control")
    if tunnels is None or control is None or given.get("listeners") != {}:
        return True
    opens = control.line is not None or control.rpc is not None
    return bool(tunnels.open) or opens or given.get("start") == "any"


def _addresses(given: Given) -> Iterator[tuple[Path, BindAddress]]:
    """@return: what listeners and tunnels wait on."""
    listeners = given.get("listeners", {})
    for name, listener in listeners.items():
        for index, bind in enumerate(listener.bind):
            yield ("listeners", name, "bind", str(index)), bind.address
    tunnels = given.get("tunnels")
    for index, tunnel in enumerate(tunnels.open if tunnels else ()):
        if str(tunnel.local) not in listeners:  # else that was made from this one
            yield ("tunnels", str(index)), tunnel.local


def _own(given: Given) -> Iterator[tuple[Path, BindAddress]]:
    """@return: addresses of portmux' own."""
    metrics, control = given.get("metrics"), given.get("control")
    own = {("metrics", "prometheus"): metrics and metrics.prometheus}
    own[("control", "line")] = control and control.line
    own[("control", "rpc")] = control and control.rpc
    for path, address in own.items():
        if address is not None:
            yield path, address
