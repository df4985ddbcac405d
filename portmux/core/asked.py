"""
One line for each request of a multiplexer, where that is wanted.

As in L{portmux.core.record}, what a peer said cannot forge a field or a line.
"""

from __future__ import annotations

import json
from typing import Final

import attrs

from portmux.core.address import Address
from portmux.core.head import printable
from portmux.core.record import timestamp

SHOWN: Final = 48
"""First octets of a request that are told (taste)."""


@attrs.frozen(slots=True)
class Asked:
    """
    What became of a request.

    @ivar time: when it could have been sent first, seconds since 1970.
    @ivar number: of its client's session.
    @ivar backend: whom it was sent to; None: to nobody.
    @ivar unit: the device that was meant, where there are several.
    @ivar request: its first octets.
    @ivar result: one word.
    @ivar sent: octets of the request.
    @ivar received: octets of the answer.
    @ivar waited: seconds until it was sent, or nobody waited any more.
    @ivar answered: seconds from there to the end.
    """

    time: float
    number: int
    listener: str
    route: str
    client: Address
    backend: Address | None
    unit: str | None
    request: bytes
    result: str
    sent: int
    received: int
    waited: float
    answered: float


def as_text(asked: Asked) -> str:
    """@return: one line of C{key=value} without its end; values hold no blanks."""
    unit = "" if asked.unit is None else f" unit={printable(asked.unit)}"
    return (
        f"{timestamp(asked.time)} session={asked.number}"
        f" listener={asked.listener} route={asked.route} client={asked.client}"
        f" backend={_backend(asked)}{unit} request={shown(asked.request)}"
        f" sent={asked.sent} received={asked.received}"
        f" waited={asked.waited:.3f} answered={asked.answered:.3f}"
        f" result={asked.result}"
    )


def as_json(asked: Asked) -> str:
    """@return: one JSON object on one line, without the line's end."""
    fields = {
        "time": timestamp(asked.time),
        "session": asked.number,
        "listener": asked.listener,
        "route": asked.route,
        "client": str(asked.client),
        "backend": _backend(asked),
        "unit": asked.unit,
        "request": shown(asked.request),
        "sent": asked.sent,
        "received": asked.received,
        "waited": round(asked.waited, 6),
        "answered": round(asked.answered, 6),
        "result": asked.result,
    }
    return json.dumps(fields, separators=(",", ":"))


def shown(request: bytes) -> str:
    """@return: the first line, if it is text; else the first octets in hexadecimal."""
    first = request[:SHOWN].splitlines()[0] if request else b""
    if first and all(0x20 <= octet < 0x7F for octet in first):
        return printable(first.decode("ascii"))
    return request[:SHOWN].hex()


def _backend(asked: Asked) -> str:
    return "-" if asked.backend is None else str(asked.backend)
