"""A client of a multiplexer, and a request of one."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from enum import Enum, auto

import attrs

from portmux.core.address import Address
from portmux.core.frame.framer import Frame, Reader


class Stage(Enum):
    """Where a request stands."""

    WAITING = auto()
    SENT = auto()
    OVER = auto()


@attrs.define(eq=False, slots=True)
class Request:
    """
    @ivar asker: who gets the answer, unless it is gone.
    @ivar frame: as it came.
    @ivar order: of its arrival among all.
    @ivar arrived: when it might have been sent first.
    @ivar unit: the device that it is for, where there are several.
    @ivar target: whose connections it goes by.
    @ivar reads: it changes nothing; known where an expert is.
    @ivar key: what it has in common with requests that may share its answer.
    @ivar sent: as it went to the target, once it has.
    @ivar backend: to whom.
    @ivar departed: when it was sent; negative before.
    @ivar tries: connections that were lost with it.
    @ivar passed: its client has had something changed since it was sent.
    @ivar begun: a part of its answer has reached the client.
    @ivar called: it has its place among those whose turn may come.
    @ivar sharers: requests that wait for the same answer.
    """

    asker: Asker
    frame: Frame
    order: int
    arrived: float
    unit: str | None = None
    target: int = 0
    key: Hashable = None
    reads: bool = attrs.field(default=False, init=False)
    sent: Frame = attrs.field(init=False)
    backend: Address | None = attrs.field(default=None, init=False)
    departed: float = attrs.field(default=-1.0, init=False)
    stage: Stage = attrs.field(default=Stage.WAITING, init=False)
    tries: int = attrs.field(default=0, init=False)
    passed: bool = attrs.field(default=False, init=False)
    begun: bool = attrs.field(default=False, init=False)
    called: bool = attrs.field(default=False, init=False)
    sharers: list[Request] = attrs.field(factory=list, init=False)


@attrs.define(eq=False, slots=True)
class Asker:
    """
    @ivar reader: of its requests.
    @ivar line: its requests that wait, in its order.
    @ivar under_way: its requests that the target has, or that wait for the answer
        to another one.
    @ivar kept: its next request, for which the queue has no room.
    @ivar standing: since when that is so.
    @ivar full: it does not take the answers that it was given.
    @ivar held: it is not being read.
    @ivar reading: its requests are being taken.
    @ivar finished: it will send no more.
    @ivar gone: nothing can be said to it any more.
    @ivar requests: all that it made.
    @ivar failed: those that got no answer.
    """

    source: Address
    reader: Reader
    line: deque[Request] = attrs.field(factory=deque, init=False)
    under_way: set[Request] = attrs.field(factory=set, init=False)
    kept: Frame | None = attrs.field(default=None, init=False)
    standing: float | None = attrs.field(default=None, init=False)
    full: bool = attrs.field(default=False, init=False)
    held: bool = attrs.field(default=False, init=False)
    reading: bool = attrs.field(default=False, init=False)
    finished: bool = attrs.field(default=False, init=False)
    gone: bool = attrs.field(default=False, init=False)
    requests: int = attrs.field(default=0, init=False)
    failed: int = attrs.field(default=0, init=False)

    @property
    def asking(self) -> int:
        """@return: its requests that are not answered."""
        return len(self.line) + len(self.under_way)

    @property
    def changes(self) -> bool:
        """@return: whether what it asks now has to see what it will have changed."""
        if not self.line and not self.under_way:
            return False
        return not all(one.reads for one in (*self.line, *self.under_way))
