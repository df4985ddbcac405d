"""What commands ask of the running program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from portmux.config.logs import Level
from portmux.config.sources.tunnel import Options, Tunnel
from portmux.core.address import BindAddress, Host
from portmux.core.backend import Backend
from portmux.core.events import Told
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.session import Session


@attrs.frozen
class Standing:
    """
    A listener that is in force.

    @ivar addresses: what it waits on, ports that the system chose included.
    """

    name: str
    addresses: Sequence[BindAddress]
    policy: Policy


@attrs.frozen
class Bored:
    """
    A listener with one address that forwards everything: plexy sees these.

    @ivar local: its address, as plexy would call the tunnel.
    @ivar options: all of them, none left to defaults.
    """

    local: str
    name: str
    policy: Policy
    pool: Pool
    options: Options


class Admin(Protocol):
    """The program; what it refuses is a L{portmux.errors.CommandError}."""

    def now(self) -> float:
        """@return: seconds since 1970."""

    # -- to look at

    def catch_up(self) -> None:
        """Count what is over already, also what nobody had the time to count yet."""

    def version(self) -> Mapping[str, Any]:
        """@return: what there is to know of the program as a whole."""

    def listeners(self) -> Mapping[str, Standing]:
        """@return: by name, in configured order."""

    def tunnels(self) -> Mapping[str, Bored]:
        """@return: by L{Bored.local}."""

    def pools(self) -> Mapping[str, Pool]:
        """@return: by name."""

    def sessions(self) -> Iterable[Session]:
        """@return: those that are live."""

    def watch(self, told: Told) -> Callable[[], None]:
        """@return: to be called when nobody watches any more."""

    def check(self) -> tuple[Sequence[str], Sequence[str]]:
        """@return: faults and warnings of the configuration, read again."""

    def diff(self) -> str:
        """@return: what was changed, in YAML; empty if nothing was."""

    def whole(self) -> str:
        """@return: the configuration with its changes."""

    def log_levels(self) -> Mapping[str, str]:
        """@return: by part of the program; C{""} is all the others."""

    # -- to change

    def open_tunnel(self, tunnel: Tunnel) -> None:
        """Have it serve from now on."""

    def close_tunnel(self, local: str) -> None:
        """End it and its sessions."""

    def add_remote(self, local: str, remote: Host) -> None:
        """Give a tunnel one more backend."""

    def remove_remote(self, local: str, remote: Host) -> Backend:
        """@return: the backend; sessions that have it go on."""

    def enable(self, pool: Pool, backend: Backend) -> None:
        """See L{Pool.enable}."""

    def disable(self, pool: Pool, backend: Backend) -> None:
        """See L{Pool.disable}."""

    def drain(self, pool: Pool, backend: Backend) -> None:
        """See L{Pool.drain}."""

    def weigh(self, pool: Pool, backend: Backend, weight: int) -> None:
        """See L{Pool.reweigh}."""

    def kill(self, sessions: Iterable[Session]) -> int:
        """@return: how many there were."""

    def limit(self, listener: str, limits: Mapping[str, float | None]) -> None:
        """@param limits: those that change, by the names of L{Limits}' fields."""

    def log(self, level: Level, part: str) -> None:
        """@param part: empty: the level of all parts that have none of their own."""

    def reload(self) -> Sequence[str]:
        """@return: what is wrong, in which case nothing has changed."""

    def forget(self) -> None:
        """Undo every change."""


def find(pool: Pool, address: str) -> Backend | None:
    """@return: the backend that is called so."""
    known: dict[str, Backend] = {str(each.address): each for each in pool.backends}
    return known.get(address)
