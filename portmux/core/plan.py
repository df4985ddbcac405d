"""
What an engine does with a connection once its route is known.

A configured action makes one plan, once. Engines know plans, never actions:
what is forwarded or closed they do themselves, for all else the plan's
coroutine is given the connection ("adopted").
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import attrs

from portmux.core.counts import Counts
from portmux.core.pool import Pool


@attrs.frozen(slots=True)
class Forwarding:
    """
    Connect to a backend of the pool and relay.

    @ivar timeout: seconds for one attempt; None: as the pool says.
    @ivar attempts: for one client; None: as the pool says.
    @ivar source: IP addresses of ours to connect from, by turns; none: the
        system chooses.
    """

    pool: Pool
    timeout: float | None = None
    attempts: int | None = None
    source: tuple[str, ...] = ()


@attrs.frozen(slots=True)
class Closing:
    """@ivar reset: abort with RST instead of ending with FIN."""

    reset: bool = False


class Lasting(Protocol):
    """
    What a plan keeps from one connection to the next.

    @ivar pools: where its own connections go.
    """

    pools: Sequence[Pool]

    def resembles(self, other: Lasting) -> bool:
        """@return: whether it was made from the same options, and may go on as that."""

    def count(self, counts: Counts, route: str) -> None:
        """Have what happens counted there, unless it has begun."""

    def start(self, engine: Any) -> None:
        """Begin, unless it has begun. @param engine: as C{Client.engine}."""

    def retire(self) -> None:
        """End with the last connection there is: none will come any more."""


@attrs.frozen(slots=True)
class Serving:
    """
    Adopt the connection.

    @ivar name: the action's, for the record.
    @ivar serve: the connection's whole life is this coroutine; its argument is
        the engine's L{portmux.net.client.Client}, which the core cannot name.
    @ivar descriptors: how many it opens besides the client's.
    @ivar lasting: what all its connections share.
    """

    name: str
    serve: Callable[[Any], Coroutine[Any, Any, None]]
    descriptors: int = 0
    lasting: Lasting | None = None


Plan = Forwarding | Closing | Serving


class Action(Protocol):
    """A configured action, decoded from a file."""

    def plan(self) -> Plan:
        """Called once for each place in a configuration where the action stands."""
