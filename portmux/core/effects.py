"""
What a session has its engine do, and the words both use.

L{portmux.core.session} gives these back; engines carry them out.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import attrs

from portmux.core.address import Address
from portmux.core.plan import Serving
from portmux.core.reach import PLAIN, Reach
from portmux.core.waiting import Ticket


class Side(Enum):
    """Whose connection something happened on."""

    CLIENT = auto()
    BACKEND = auto()


class Phase(Enum):
    """Where a session stands."""

    SNIFF = auto()
    QUEUE = auto()
    DIAL = auto()
    RELAY = auto()
    SERVE = auto()
    CLOSE = auto()
    OVER = auto()


@attrs.frozen(slots=True)
class Wait:
    """Go on; nothing is to be done now."""


@attrs.frozen(slots=True)
class Queued:
    """
    Stop reading the client until its turn has come.

    The engine puts into the ticket what is to be called then, and has
    C{Session.turn} asked soon after that, but not from inside that call.
    """

    ticket: Ticket


@attrs.frozen(slots=True)
class Dial:
    """
    Stop reading the client, give up any earlier attempt, connect to this.

    @ivar reach: what there is to do beyond that.
    @ivar source: IP addresses of ours to connect from, by turns; none: the
        system chooses.
    """

    address: Address
    reach: Reach = PLAIN
    source: tuple[str, ...] = ()


@attrs.frozen(slots=True)
class Relay:
    """Give the held bytes to the backend, then relay both ways."""


@attrs.frozen(slots=True)
class Adopt:
    """Give the connection with its held bytes to the plan's coroutine."""

    plan: Serving


@attrs.frozen(slots=True)
class Finish:
    """Tell this side that no more bytes will come, after those under way."""

    side: Side


@attrs.frozen(slots=True)
class Close:
    """
    End both sides.

    @ivar reset: at once, with RST; else after what is under way was written.
    """

    reset: bool


Effect = Wait | Queued | Dial | Relay | Adopt | Finish | Close

WAIT: Final = Wait()
RELAY: Final = Relay()
CLOSE: Final = Close(reset=False)
RESET: Final = Close(reset=True)
FINISH: Final = {side: Finish(side) for side in Side}
