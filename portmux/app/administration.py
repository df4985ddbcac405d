"""What commands ask of the program, answered by it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from portmux import __version__
from portmux.actions.tunnel import Tunnel as Action
from portmux.app.tunnels import resolved
from portmux.config import parts
from portmux.config.changes import Changes, Limits
from portmux.config.logs import Level
from portmux.config.model import Listener
from portmux.config.sources.tunnel import Options, Tunnel
from portmux.control.admin import Bored, Standing
from portmux.control.handling import IMPOSSIBLE
from portmux.core.address import Host
from portmux.core.backend import Backend, State
from portmux.core.events import Told
from portmux.core.plan import Forwarding
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.session import Session
from portmux.errors import CommandError, ConfigError, PortmuxError

if TYPE_CHECKING:
    from portmux.app.service import Portmux

IO: Final = 1004
KNOWN_TUNNEL: Final = 1005
CERTIFICATE: Final = 1014


class Administration:
    """One change at a time: each is whole, or nothing has changed."""

    def __init__(self, program: Portmux) -> None:
        self._program = program

    def now(self) -> float:
        return float(self._program.engine.reactor.seconds())

    # -- to look at

    def catch_up(self) -> None:
        self._program.engine.catch_up()

    def version(self) -> Mapping[str, Any]:
        program = self._program
        return {
            "version": __version__,
            "pid": os.getpid(),
            "seconds": round(self.now() - program.since),
            "engine": program.engine.kind.value,
            "listeners": len(program.config.listeners),
            "sessions": len(program.engine.live),
            "reloads": program.metrics.reloads,
        }

    def listeners(self) -> Mapping[str, Standing]:
        return {
            name: Standing(name, service.accepting.addresses(), service.policy)
            for name, service in self._program.listening().items()
        }

    def tunnels(self) -> Mapping[str, Bored]:
        found = {}
        services, config = self._program.listening(), self._program.config
        told = {
            str(each.local): config.tunnels.whole(each) for each in config.tunnels.open
        }
        for name, listener in config.listeners.items():
            if name in services:
                bored = _bored(name, listener, services[name].policy, told)
                if bored is not None:
                    found[bored.local] = bored
        return found

    def pools(self) -> Mapping[str, Pool]:
        return {pool.name: pool for pool in self._program.pools}

    def sessions(self) -> Iterable[Session]:
        return (live.session for live in self._program.engine.live)

    def watch(self, told: Told) -> Callable[[], None]:
        return self._program.events.watch(told)

    def check(self) -> tuple[Sequence[str], Sequence[str]]:
        try:
            self._program.read()
        except ConfigError as error:
            return error.faults, ()
        return (), ()

    def diff(self) -> str:
        return self._program.changes.written()

    def whole(self) -> str:
        return self._program.whole()

    def log_levels(self) -> Mapping[str, str]:
        log = self._program.config.log
        return {"": log.level, **log.levels}

    # -- to change

    def open_tunnel(self, tunnel: Tunnel) -> None:
        if str(tunnel.local) in self.tunnels():
            raise CommandError(KNOWN_TUNNEL, "Tunnel already exists")
        local = str(tunnel.local)
        self._change(self._program.changes.opened(tunnel), local)

    def close_tunnel(self, local: str) -> None:
        name = self.tunnels()[local].name
        self._change(self._program.changes.without(name))
        self._program.end(name)

    def add_remote(self, local: str, remote: Host) -> None:
        bored = self.tunnels()[local]
        remotes = [each.address for each in bored.pool.backends]
        self._set_remotes(bored, [*remotes, remote])

    def remove_remote(self, local: str, remote: Host) -> Backend:
        bored = self.tunnels()[local]
        backend = bored.pool.find(remote)
        assert backend is not None
        remotes = [each.address for each in bored.pool.backends]
        self._set_remotes(bored, [each for each in remotes if each != remote])
        return backend

    def _set_remotes(self, bored: Bored, remotes: Sequence[Any]) -> None:
        to = tuple(remotes)
        changes = self._program.changes.left(bored.pool.name, to)
        action = self._program.config.listeners[bored.name].action
        if isinstance(action, Action):
            self._change(changes.opened(self._tunnel(bored, to)))
        elif not to:
            text = f"The last backend of {bored.pool.name} has to stay, or be disabled"
            raise CommandError(IMPOSSIBLE, text)
        elif bored.pool.name in self._program.config.pools:
            self._change(changes.pooled(bored.pool.name, to))
        else:
            self._change(changes.forwarded(bored.name, to))

    def _tunnel(self, bored: Bored, remotes: tuple[Host, ...]) -> Tunnel:
        """@return: a tunnel as it is configured, with other remotes."""
        tunnels = self._program.config.tunnels.open
        before = next(each for each in tunnels if str(each.local) == bored.local)
        return attrs.evolve(before, remotes=remotes)

    def enable(self, pool: Pool, backend: Backend) -> None:
        pool.enable(backend, self.now())
        self._keep(pool, backend, state=None)

    def disable(self, pool: Pool, backend: Backend) -> None:
        pool.disable(backend, self.now())
        self._keep(pool, backend, state=State.DISABLED.value)

    def drain(self, pool: Pool, backend: Backend) -> None:
        pool.drain(backend, self.now())
        self._keep(pool, backend, state=State.DRAINING.value)

    def weigh(self, pool: Pool, backend: Backend, weight: int) -> None:
        pool.reweigh(backend, weight)
        self._keep(pool, backend, weight=weight)

    def _keep(self, pool: Pool, backend: Backend, **what: Any) -> None:
        changes = self._program.changes
        self._program.keep(changes.treated(pool.name, str(backend.address), **what))

    def kill(self, sessions: Iterable[Session]) -> int:
        wanted = set(map(id, sessions))
        found = [
            live for live in self._program.engine.live if id(live.session) in wanted
        ]
        for live in found:
            live.stop("killed")
        return len(found)

    def limit(self, listener: str, limits: Mapping[str, float | None]) -> None:
        before = self._program.config.listeners[listener].limits
        old = Limits(
            connections=before.connections,
            per_source=before.per_source,
            rate=before.rate,
        )
        self._change(self._program.changes.limited(listener, old, limits))

    def log(self, level: Level, part: str) -> None:
        if part and (wrong := parts.fault(part)) is not None:
            raise CommandError(IMPOSSIBLE, wrong)
        self._change(self._program.changes.told(level, part))

    def reload(self) -> Sequence[str]:
        return self._program.reload()

    def forget(self) -> None:
        self._change(Changes())

    def _change(self, changes: Changes, opening: str = "") -> None:
        """@raise CommandError: it cannot be; nothing has changed."""
        try:
            self._program.change(changes, opening)
        except PortmuxError as error:
            code, what = _class(error)
            raise CommandError(code, f"{what}: {_why(error)}") from error
        except ValueError as error:
            raise CommandError(IMPOSSIBLE, f"IO error: {error}") from error


def _bored(
    name: str, listener: Listener, policy: Policy, told: Mapping[str, Options]
) -> Bored | None:
    """
    @param told: the options of those that are configured as tunnels.
    @return: None: plexy has nothing like this listener.
    """
    if listener.action is None or len(listener.bind) != 1:
        return None
    local = listener.bind[0].address
    plan = policy.table.routes[0].way.plan
    if not isinstance(plan, Forwarding) or not isinstance(local, Host):
        return None
    options = told.get(name) or resolved(plan.pool)
    return Bored(str(local), name, policy, plan.pool, options)


def _class(error: PortmuxError) -> tuple[int, str]:
    """@return: plexy's code for it, and the words that stand in front of it."""
    if isinstance(error, ConfigError) and error.faults[0].startswith("tls."):
        return CERTIFICATE, "Certificate error"
    return IO, "IO error"


def _why(error: PortmuxError) -> str:
    """@return: as plexy would say it, where the system refused."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno:
        text = os.strerror(cause.errno)
        if cause.errno in errno.errorcode:
            return f"{text} (os error {cause.errno})"
    return str(error)
