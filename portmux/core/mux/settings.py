"""How requests are shared out, and for how long everybody waits."""

from __future__ import annotations

from typing import Final

import attrs

from portmux.core.mux.breaker import Rule

JITTER: Final = 0.1
"""Part of a wait that chance takes away, so that not all come back at once (taste)."""


@attrs.frozen
class Settings:
    """
    All times are seconds.

    @ivar connections: to the target at a time.
    @ivar pipeline: requests under way on one connection; more than one only
        for protocols whose requests have numbers.
    @ivar queue: requests that wait at a time; other clients are not read.
    @ivar per_client: requests of one client that wait or are under way.
    @ivar rotate: clients take turns; else requests go in order of arrival.
    @ivar wait: most time from a request to its turn.
    @ivar unreachable: most time from a request to a connection, while none is there.
    @ivar answer: most time from sending a request to its whole answer.
    @ivar request: most time from the answer before to a whole request.
    @ivar connect: for one attempt to connect.
    @ivar settle: from connecting to the first request.
    @ivar pause: from an answer to the next request on that connection.
    @ivar retries: times that a request that only reads is sent once more when
        its connection was lost.
    @ivar tolerant: a request without an answer does not cost the connection;
        only for protocols whose requests have numbers.
    @ivar backoff: from the first failure to the next attempt; then twice as long.
    @ivar longest: most time between two attempts.
    @ivar keep: connect at once, and again whenever a connection is lost.
    @ivar age: after which a connection is closed, once it rests.
    @ivar idle: after which a connection without requests is closed.
    @ivar breaker: when a device of several behind a target is not asked any more.
    @ivar told: of every request that is over.
    @ivar replies: what failed is told in the protocol's own words, if it has any.
    """

    connections: int = 1
    pipeline: int = 1
    queue: int = 32
    per_client: int = 1
    rotate: bool = False
    wait: float | None = None
    unreachable: float = 3.0
    answer: float = 60.0
    request: float | None = None
    connect: float = 10.0
    settle: float = 0.0
    pause: float = 0.0
    retries: int = 1
    tolerant: bool = False
    backoff: float = 1.0
    longest: float = 30.0
    keep: bool = False
    age: float | None = None
    idle: float | None = None
    replies: bool = False
    breaker: Rule | None = None
    told: bool = False

    @property
    def least(self) -> float:
        """@return: nothing that happens now is due sooner than in this time."""
        times = (
            self.wait,
            self.unreachable,
            self.answer,
            self.request,
            self.connect,
            self.settle,
            self.pause,
            self.backoff * (1 - JITTER),
            self.longest * (1 - JITTER),
            self.age,
            self.idle,
        )
        return min(time for time in times if time)
