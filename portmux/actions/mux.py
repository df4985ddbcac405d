"""Share few connections to a target among many clients, request by request."""

from __future__ import annotations

from collections.abc import Sequence
from random import random
from typing import Literal

import attrs

from portmux.config.checks import Clashes, Given, hold, positive
from portmux.config.values import PoolName
from portmux.core.address import Address
from portmux.core.frame.framer import Framer
from portmux.core.multiplex import Multiplexer
from portmux.core.mux.breaker import Rule
from portmux.core.mux.expert import Versed
from portmux.core.mux.settings import Settings
from portmux.core.mux.tally import Tally
from portmux.core.option import Seconds, at_least, option
from portmux.core.plan import Serving
from portmux.core.pool import Pool
from portmux.core.registry import Registry
from portmux.net.mux import Hub
from portmux.net.muxlog import MuxLog


@attrs.frozen
class MuxConnect:
    """Connections to the target: when they are made, and how long they last."""

    timeout: Seconds = option(
        "how long one attempt may take, resolving the name included",
        default=Seconds(10.0),
        check=at_least(0.001),
        example="5s",
    )
    at_start: bool = option(
        "connect before there is a client, and again whenever a connection is lost",
        default=False,
        example="true",
    )
    delay: Seconds = option(
        "from connecting to the first request, for targets that need time",
        default=Seconds(0.0),
        check=at_least(0),
        example="1s",
    )
    backoff: Seconds = option(
        "from a failure to the next attempt; after each further one twice as long",
        default=Seconds(1.0),
        check=at_least(0.001),
        example="500ms",
    )
    longest_backoff: Seconds = option(
        "most time between two attempts",
        default=Seconds(30.0),
        check=at_least(0.001),
        example="1m",
    )
    keepalive: Seconds | None = option(
        "silence after which the system asks whether the target is still there",
        default=Seconds(30.0),
        check=at_least(1),
        example="1m",
    )
    max_age: Seconds | None = option(
        "after which a connection is closed, when it rests",
        default=None,
        check=positive,
        example="1h",
    )
    idle: Seconds | None = option(
        "time without a request after which a connection is closed",
        default=None,
        check=positive,
        example="1m",
    )


@attrs.frozen
class MuxQueue:
    """Requests that wait for a connection."""

    size: int = option(
        "most requests that wait; then clients are not read until there is room",
        default=32,
        check=at_least(1),
        example="100",
    )
    per_client: int = option(
        "most requests of one client that wait or are under way",
        default=1,
        check=at_least(1),
        example="4",
    )
    order: Literal["fifo", "round-robin"] = option(
        "whose turn it is: the request's that came first, or each client's in turn",
        default="fifo",
        example="round-robin",
    )
    wait: Seconds | None = option(
        "how long a request may wait for its turn",
        default=None,
        check=positive,
        example="10s",
    )


@attrs.frozen
class MuxBreaker:
    """When a unit is not asked any more: the others then need not wait for it."""

    failures: int = option(
        "requests in a row that a unit leaves without an answer",
        default=3,
        check=at_least(1),
        example="5",
    )
    pause: Seconds = option(
        "time for which it is not asked then; after that one request tries",
        default=Seconds(30.0),
        check=positive,
        example="1m",
    )


@attrs.frozen
class MuxTimeouts:
    """How long is waited for whom."""

    answer: Seconds = option(
        "from sending a request to its whole answer",
        default=Seconds(60.0),
        check=positive,
        example="3s",
    )
    unreachable: Seconds = option(
        "how long a request waits for a connection while there is none",
        default=Seconds(3.0),
        check=at_least(0),
        example="10s",
    )
    request: Seconds | None = option(
        "from connecting, or from the answer before, to a client's whole request; "
        "then the client is closed",
        default=None,
        check=positive,
        example="1m",
    )


@attrs.frozen
class MuxMessages:
    """What a multiplexer writes to the log, beside records."""

    numbers: Seconds | None = option(
        "time from one line with numbers of requests and connections to the next; "
        "none: there are none",
        default=None,
        check=positive,
        example="1m",
    )
    octets: bool = option(
        "all that is sent and received, in hexadecimal, at level debug",
        default=False,
        example="true",
    )


@attrs.frozen
class Mux:
    """
    Clients' requests go to the target one after another, over few connections, and
    each answer goes to the client that asked.
    """

    protocol: Framer = option(
        "how requests and answers are told apart", example="modbus"
    )
    to: tuple[Address, ...] = option(
        "targets, tried in this order until one can be connected to",
        default=(),
        example='["10.0.0.9:502"]',
    )
    pool: PoolName | None = option(
        "a pool, in place of targets; none: there are targets",
        default=None,
        example="git",
    )
    connections: int = option(
        "most connections to the target", default=1, check=at_least(1), example="4"
    )
    pipeline: int = option(
        "most requests under way on one connection; more than one only where "
        "requests have numbers",
        default=1,
        check=at_least(1),
        example="4",
    )
    pause: Seconds = option(
        "from an answer to the next request on that connection",
        default=Seconds(0.0),
        check=at_least(0),
        example="50ms",
    )
    retries: int = option(
        "how often a request that only reads is sent again, on another connection, "
        "when its own was lost",
        default=1,
        check=at_least(0),
        example="0",
    )
    unanswered: Literal["close", "keep"] = option(
        "what becomes of a connection without an answer in time; it can be kept "
        "where late answers are told by their numbers",
        default="close",
        example="keep",
    )
    errors: Literal["close", "protocol"] = option(
        "how a client learns that there is no answer: its connection is closed, or "
        "it is told in the protocol's own words, where there are any",
        default="close",
        example="protocol",
    )
    breaker: MuxBreaker | None = option(
        "do not wait for a unit that has been silent; only for protocols that have "
        "units",
        default=None,
        example="{failures: 3, pause: 30s}",
    )
    record: Literal["sessions", "requests"] = option(
        "what the access log has: a line for each client, or for each request, too",
        default="sessions",
        example="requests",
    )
    connect: MuxConnect = option("connections to the target", factory=MuxConnect)
    queue: MuxQueue = option("requests that wait", factory=MuxQueue)
    timeouts: MuxTimeouts = option("how long is waited", factory=MuxTimeouts)
    log: MuxMessages = option("what it writes to the log", factory=MuxMessages)

    def __attrs_post_init__(self) -> None:
        hold(self)

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        """Which values cannot stand together, see L{portmux.config.decode}."""
        match given:
            case {"to": (), "pool": None}:
                yield (), "there are no targets, to or pool is needed"
            case {"to": (_, *_), "pool": str()}:
                yield ("pool",), "there are targets, too; either of them is allowed"
        protocol = given.get("protocol")
        if given.get("breaker") is not None and not isinstance(protocol, Versed | None):
            yield ("breaker",), "needs a protocol that has units; modbus has"
        if protocol is None or protocol.dialogue.numbered:
            return
        for key, plain in (("pipeline", 1), ("unanswered", "close")):
            if given.get(key, plain) != plain:
                text = f"needs a protocol whose requests have numbers; {plain}"
                yield (key,), f"{text} is allowed"

    def plan(self) -> Serving:
        pool = Pool.of(self.to) if self.pool is None else Pool.of((), name=self.pool)
        protocol = self.protocol
        others = protocol.targets if isinstance(protocol, Versed) else ()
        pools = [pool, *map(Pool.of, others)]
        log = MuxLog(self.log.numbers, self.log.octets)
        hub = Hub(self, pools, self._multiplexer, self.connect.keepalive, log)
        return Serving("mux", hub.serve, lasting=hub)

    def _multiplexer(self, pools: Sequence[Pool], tally: Tally) -> Multiplexer:
        protocol, settings = self.protocol, self.settings()
        expert = protocol.expert() if isinstance(protocol, Versed) else None
        return Multiplexer(protocol, settings, pools, tally, random, expert)

    def settings(self) -> Settings:
        """@return: what the multiplexer goes by."""
        connect, queue, timeouts = self.connect, self.queue, self.timeouts
        breaker = self.breaker
        return Settings(
            connections=self.connections,
            pipeline=self.pipeline,
            queue=queue.size,
            per_client=queue.per_client,
            rotate=queue.order == "round-robin",
            wait=queue.wait,
            unreachable=timeouts.unreachable,
            answer=timeouts.answer,
            request=timeouts.request,
            connect=connect.timeout,
            settle=connect.delay,
            pause=self.pause,
            retries=self.retries,
            tolerant=self.unanswered == "keep",
            backoff=connect.backoff,
            longest=connect.longest_backoff,
            keep=connect.at_start,
            age=connect.max_age,
            idle=connect.idle,
            replies=self.errors == "protocol",
            breaker=None if breaker is None else Rule(breaker.failures, breaker.pause),
            told=self.record == "requests",
        )


def register(registry: Registry) -> None:
    registry.action("mux", Mux)
