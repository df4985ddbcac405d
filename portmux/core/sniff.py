"""
Choose a route from the first bytes of a connection.  No I/O, no clock.

Routes are judged in their written order: a route wins when every route above
it has said NO, however the bytes were cut into segments. With I{eager}
resolution the route whose bytes are complete first wins instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import takewhile

import attrs

from portmux.core.address import Address
from portmux.core.head import Head, Matcher, Opens, Reason, Verdict, judge
from portmux.core.limits import Count
from portmux.core.plan import Closing, Forwarding, Plan


class Cause(Enum):
    """Why a decision fell; the value is the word in records."""

    MATCH = "match"
    NONE_LEFT = "none-left"
    LIMIT = "limit"
    EOF = "eof"
    TIMEOUT = "timeout"
    SILENT = "silent"


@attrs.define(eq=False, slots=True)
class Way:
    """
    What may become of a connection: a named plan.

    @ivar name: a route's, or C{fallback}, C{silent}, C{undecided}, C{close}.
    @ivar count: the sessions that go this way now, and how many may.
    @ivar chosen: somebody configured it for such connections; without, it is
        the end of connections that nothing fits.
    """

    name: str
    plan: Plan
    count: Count = attrs.field(factory=Count)
    chosen: bool = True


@attrs.frozen(eq=False, slots=True)
class Decision:
    """@ivar matcher: the winning route's; None where no route won."""

    way: Way
    cause: Cause
    matcher: Matcher | None = None


@attrs.define(eq=False, slots=True)
class Route:
    """@ivar won: the decision when it matches, made once."""

    matcher: Matcher
    way: Way
    won: Decision = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.won = Decision(self.way, Cause.MATCH, self.matcher)


# On Python 3.11 a member read off its class costs as much as a call (measured).
_, _MORE, _YES = Verdict


def _close() -> Way:
    return Way("close", Closing(), chosen=False)


@attrs.define(eq=False)
class Table:
    """
    A listener's routes, compiled once.

    @ivar limit: octets after which routes that still say MORE count as NO.
    @ivar eager: the route that is complete after the fewest octets wins, and
        an end of input before a decision closes.
    """

    routes: Sequence[Route]
    fallback: Way = attrs.field(factory=_close)
    silent: Way | None = None
    undecided: Way | None = None
    limit: int = 65536
    eager: bool = False
    closed: Way = attrs.field(factory=_close, init=False)
    _rows: tuple[tuple[Route, ...], ...] = attrs.field(init=False, repr=False)
    _early: tuple[Route, ...] = attrs.field(init=False, repr=False)
    _spare: Head | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        opening = [
            route.matcher.first() if isinstance(route.matcher, Opens) else None
            for route in self.routes
        ]
        pairs = list(zip(self.routes, opening, strict=True))
        self._rows = tuple(
            tuple(route for route, first in pairs if first is None or octet in first)
            for octet in range(256)
        )
        without = takewhile(lambda pair: self.eager or pair[1] is None, pairs)
        self._early = tuple(route for route, first in without if first is None)

    def ways(self) -> list[Way]:
        """@return: every way a connection can go, routes first."""
        others = (self.fallback, self.silent, self.undecided, self.closed)
        return [route.way for route in self.routes] + [way for way in others if way]

    def accept(
        self, source: Address, local: Address, at: float = 0.0
    ) -> Decision | None:
        """@return: the decision, if it needs no bytes."""
        early = self._early
        if not early and self.routes:
            return None
        head = self._fresh_head(source, local, at)
        for route in early:
            verdict = judge(route.matcher, head)
            if verdict is _YES:
                return route.won
            if verdict is _MORE and not self.eager:
                return None
        if self.eager or len(early) < len(self.routes):
            return None  # eager: silence alone never means that no route is left
        return self.give_up(Cause.NONE_LEFT, None)

    def first(
        self, data: bytes, source: Address, local: Address, at: float = 0.0
    ) -> Decision | Sniffer:
        """
        Judge a connection's first segment, which mostly decides.

        @param data: at least one octet.
        @return: the decision; or a sniffer that holds the bytes and wants more.
        """
        head = self._fresh_head(source, local, at)
        if not self.eager:
            head.data += data[: self.limit]
            for route in self._rows[data[0]]:
                verdict = judge(route.matcher, head)
                if verdict is _YES:
                    return route.won
                if verdict is _MORE:
                    break
            else:
                return self.give_up(Cause.NONE_LEFT, None)
        sniffer = Sniffer(self, head)
        decision = sniffer.feed(data[len(head.data) :])
        if decision is not None:
            return decision
        self._spare = None  # it is this connection's from now on
        return sniffer

    def unheard(
        self, cause: Cause, source: Address, local: Address, at: float = 0.0
    ) -> Decision:
        """
        Decide on a client that has not sent a byte.

        @param cause: C{EOF} or C{SILENT}.
        """
        head = self._fresh_head(source, local, at)
        if cause is Cause.EOF:
            return Decision(self.closed, cause)
        for route in self.routes:
            if judge(route.matcher, head) is _YES:
                return self.give_up(cause, route)
        return self.give_up(cause, None)

    def reason(self, decision: Decision, sniffer: Sniffer | None) -> Reason | None:
        """
        Explain a decision, before the next connection is judged.

        @param sniffer: what L{first} gave before the decision.
        @return: the winning matcher's reason; where none won, the facts that
            all of them read; None when no byte was looked at.
        """
        head = sniffer.head if sniffer is not None else self._spare
        if head is None or (decision.matcher is None and not head.data):
            return None
        if decision.matcher is not None:
            return decision.matcher.why(head)
        facts: dict[str, str] = {}
        for route in self._rows[head.data[0]]:
            facts |= route.matcher.why(head).facts
        return Reason(decision.cause.value, None, tuple(facts.items()))

    def unwanted(self, decision: Decision, heard: bool) -> bool:
        """
        Whether it counts towards a ban: bytes, or silence, that nothing fits.

        A fallback that forwards is a service like others, and wanted.

        @param heard: there were bytes.
        """
        if decision.cause is Cause.EOF and not heard:
            return False  # a probe of the port, such as a monitor's
        if decision.matcher is not None or isinstance(decision.way.plan, Forwarding):
            return False
        return decision.way not in (self.silent, self.undecided)

    def row(self, octet: int) -> tuple[Route, ...]:
        """@return: the routes that a first octet leaves possible, in order."""
        return self._rows[octet]

    def give_up(self, cause: Cause, second: Route | None) -> Decision:
        """
        Decide without a winner; a route that says MORE counts as NO.

        @param second: the first route that said YES below one that said MORE.
        """
        if cause is Cause.SILENT and self.silent is not None:
            return Decision(self.silent, cause)
        if cause is Cause.TIMEOUT and self.undecided is not None:
            return Decision(self.undecided, cause)
        if cause is Cause.EOF and self.eager:
            return Decision(self.closed, cause)
        if second is not None:
            return Decision(second.way, cause, second.matcher)
        return Decision(self.fallback, cause)

    def _fresh_head(self, source: Address, local: Address, at: float) -> Head:
        """One head serves all connections that their first segment decides."""
        head = self._spare
        if head is None:
            head = self._spare = Head(bytearray(), source, local, at)
        else:
            head.source, head.local, head.at = source, local, at
            head.data.clear()
            head.forget()
        return head


@attrs.define(eq=False, slots=True)
class Sniffer:
    """One connection that its first segment did not decide."""

    table: Table
    head: Head
    _open: Sequence[Route] | None = attrs.field(default=None, init=False)
    _second: Route | None = attrs.field(default=None, init=False)
    _surplus: bytes = attrs.field(default=b"", init=False)

    @property
    def data(self) -> bytes:
        """Every byte received so far."""
        return bytes(self.head.data) + self._surplus

    def feed(self, data: bytes) -> Decision | None:
        """@return: the decision, or None to ask for more bytes."""
        room = self.table.limit - len(self.head.data)
        data, self._surplus = data[:room], data[room:]
        decision = self._eagerly(data) if self.table.eager else self._in_order(data)
        if decision is None and len(self.head.data) >= self.table.limit:
            return self.give_up(Cause.LIMIT)
        return decision

    def give_up(self, cause: Cause) -> Decision:
        """Decide now, by what has come."""
        return self.table.give_up(cause, self._second)

    def _candidates(self) -> Sequence[Route]:
        if self._open is None:
            return self.table.row(self.head.data[0])
        return self._open

    def _in_order(self, data: bytes) -> Decision | None:
        self.head.data += data
        still: list[Route] = []
        for route in self._candidates():
            verdict = judge(route.matcher, self.head)
            if verdict is _YES:
                if not still:
                    return route.won
                self._second = route
                break  # nothing below can win any more
            if verdict is _MORE:
                still.append(route)
        self._open = still
        if still:
            return None
        if self._second is not None:
            return self._second.won
        return self.table.give_up(Cause.NONE_LEFT, None)

    def _eagerly(self, data: bytes) -> Decision | None:
        """Octet by octet: nothing is lost by it, what is open is open for few."""
        for at in range(len(data)):
            self.head.data.append(data[at])
            decision = self._eager_step()
            if decision is not None:
                self.head.data += data[at + 1 :]
                return decision
        return None

    def _eager_step(self) -> Decision | None:
        still: list[Route] = []
        for route in self._candidates():
            verdict = judge(route.matcher, self.head)
            if verdict is _YES:
                return route.won
            if verdict is _MORE:
                still.append(route)
        self._open = still
        return None if still else self.table.give_up(Cause.NONE_LEFT, None)
