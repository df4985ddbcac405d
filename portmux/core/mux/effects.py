"""
What a multiplexer has its carrier do.

Nobody changes an effect, see L{portmux.core.frame.framer.Frame}.
"""

from __future__ import annotations

import attrs

from portmux.core.mux.asker import Asker, Request
from portmux.core.mux.link import Link


@attrs.define(slots=True)
class Dial:
    """Connect to the link's address, and tell how that went."""

    link: Link


@attrs.define(slots=True)
class Send:
    """Write to the target."""

    link: Link
    data: bytes


@attrs.define(slots=True)
class Drop:
    """
    Give up a link in whatever state; nothing is told of it any more.

    @ivar reset: with RST, so that a target without answers forgets it, too.
    """

    link: Link
    reset: bool


@attrs.define(slots=True)
class Answer:
    """Write to the client."""

    asker: Asker
    data: bytes


@attrs.define(slots=True)
class Hold:
    """Stop reading the client, or go on. @ivar held: to stop."""

    asker: Asker
    held: bool


@attrs.define(slots=True)
class HangUp:
    """
    Close the client's connection after what was written to it.

    @ivar how: a word for its record.
    @ivar detail: a clause for it; may be empty.
    """

    asker: Asker
    how: str
    detail: str


@attrs.define(slots=True)
class Over:
    """
    Write down what became of a request.

    @ivar result: one word.
    @ivar size: octets of its answer.
    @ivar now: when it was over.
    """

    request: Request
    result: str
    size: int
    now: float


Effect = Dial | Send | Drop | Answer | Hold | HangUp | Over
