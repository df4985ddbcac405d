"""A small program to give commands to, and a connection that can be looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.task import Clock

from portmux.config.logs import Level
from portmux.config.sources.tunnel import Options, Tunnel
from portmux.control.admin import Bored, Standing
from portmux.core.address import Address, Host
from portmux.core.backend import Backend
from portmux.core.events import Hub, Told
from portmux.core.limits import Count, Gate, Limits
from portmux.core.match.always import Always
from portmux.core.option import Seconds
from portmux.core.plan import Closing, Forwarding
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.session import Session
from portmux.core.sniff import Route, Table, Way
from portmux.core.strategies import Strategy
from portmux.errors import CommandError

NOW = 1000.0

OPTIONS = Options(
    strategy=Strategy.RANDOM,
    retries=3,
    timeout=Seconds(10.0),
    errors=1,
    check_interval=Seconds(10.0),
    remote_tls=False,
)


class Office:
    """Does what commands ask for, with real pools, policies and sessions."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.bored: dict[str, Bored] = {}
        self.others: dict[str, Standing] = {}
        self.live: list[Session] = []
        self.done: list[tuple[Any, ...]] = []
        self.faults: Sequence[str] = ()
        self.caught = 0

    def listener(self, name: str, *remotes: Address) -> Policy:
        """@return: the policy of a new listener that forwards, or closes."""
        plan = Forwarding(Pool.of(remotes, name=name)) if remotes else Closing()
        table = Table([Route(Always(), Way("all", plan))])
        policy = Policy(name, table, Gate(Limits(), Count()))
        self.others[name] = Standing(name, (Host("127.0.0.1", 80),), policy)
        return policy

    def session(self, listener: str, source: Address) -> Session:
        """@return: a live one."""
        policy = self.listeners()[listener].policy
        session = Session(policy, source, Host("127.0.0.1", 80), NOW - 5)
        session.open()
        self.live.append(session)
        return session

    def now(self) -> float:
        return NOW

    def catch_up(self) -> None:
        self.caught += 1

    def version(self) -> Mapping[str, Any]:
        return {"version": "1.2.3", "pid": 7}

    def listeners(self) -> Mapping[str, Standing]:
        return self.others

    def tunnels(self) -> Mapping[str, Bored]:
        return self.bored

    def pools(self) -> Mapping[str, Pool]:
        pools = {}
        for standing in self.others.values():
            plan = standing.policy.table.routes[0].way.plan
            if isinstance(plan, Forwarding):
                pools[plan.pool.name] = plan.pool
        return pools

    def sessions(self) -> Iterable[Session]:
        return self.live

    def watch(self, told: Told) -> Callable[[], None]:
        return self.hub.watch(told)

    def check(self) -> tuple[Sequence[str], Sequence[str]]:
        return self.faults, ()

    def diff(self) -> str:
        return "closed:\n  - a\n"

    def whole(self) -> str:
        return ""

    def log_levels(self) -> Mapping[str, str]:
        return {"": "info", "net": "debug"}

    def open_tunnel(self, tunnel: Tunnel) -> None:
        local = str(tunnel.local)
        if local in self.bored:
            raise CommandError(1005, "Tunnel already exists")
        policy = self.listener(local, *tunnel.remotes or (Host("none", 1),))
        plan = policy.table.routes[0].way.plan
        assert isinstance(plan, Forwarding)
        self.bored[local] = Bored(local, local, policy, plan.pool, OPTIONS)

    def close_tunnel(self, local: str) -> None:
        del self.bored[local]
        del self.others[local]

    def add_remote(self, local: str, remote: Host) -> None:
        self.bored[local].pool.add(remote, NOW)

    def remove_remote(self, local: str, remote: Host) -> Backend:
        backend = self.bored[local].pool.find(remote)
        assert backend is not None
        self.bored[local].pool.remove(backend, NOW)
        return backend

    def enable(self, pool: Pool, backend: Backend) -> None:
        pool.enable(backend, NOW)

    def disable(self, pool: Pool, backend: Backend) -> None:
        pool.disable(backend, NOW)

    def drain(self, pool: Pool, backend: Backend) -> None:
        pool.drain(backend, NOW)

    def weigh(self, pool: Pool, backend: Backend, weight: int) -> None:
        pool.reweigh(backend, weight)

    def kill(self, sessions: Iterable[Session]) -> int:
        killed = list(sessions)
        self.live = [each for each in self.live if each not in killed]
        return len(killed)

    def limit(self, listener: str, limits: Mapping[str, float | None]) -> None:
        self.done.append(("limit", listener, dict(limits)))

    def log(self, level: Level, part: str) -> None:
        self.done.append(("log", level, part))

    def reload(self) -> Sequence[str]:
        return self.faults

    def forget(self) -> None:
        self.done.append(("forget",))


class Wire:
    """
    The transport of a client.

    @ivar said: what was written, until L{heard} takes it.
    @ivar reading: whether more is read.
    """

    def __init__(self) -> None:
        self.said = b""
        self.reading = True
        self.peer: Any = "somebody"
        self.finished = self.lost = self.aborted = False
        self.producer: Any = None

    def heard(self) -> str:
        """@return: what was written since the last call."""
        said, self.said = self.said, b""
        return said.decode()

    def json(self) -> Any:
        """@return: the same, of which each line is JSON."""
        return [json.loads(line) for line in self.heard().splitlines()]

    def write(self, data: bytes) -> None:
        assert not (self.finished or self.lost or self.aborted), data
        self.said += data

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def loseWriteConnection(self) -> None:
        self.finished = True

    def loseConnection(self) -> None:
        self.lost = True

    def abortConnection(self) -> None:
        self.aborted = True

    def getPeer(self) -> Any:
        return self.peer

    @property
    def over(self) -> bool:
        """Nothing more can be written."""
        return self.finished or self.lost or self.aborted


def turn(clock: Clock, seconds: float = 0.0) -> None:
    """
    Have a reactor's turn, which takes so long.

    Unlike C{advance} it makes no calls that are only asked for in it.
    """
    due = clock.calls[:]
    clock.calls.clear()
    clock.rightNow += seconds
    for call in due:
        call.called = 1
        call.func(*call.args)
