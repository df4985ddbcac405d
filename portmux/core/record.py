"""
One line for each session, at its end.

Everything that a peer said goes through L{printable}: no blank, no quote and
no line end of theirs can forge a field or a line.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import attrs

from portmux.core.address import Address, Unix
from portmux.core.head import printable

_WORD: Final = re.compile(r"[!#-~]*")

_HINTED: Final = 64
"""First octets that a hint repeats; from taste: most openings say enough in them."""


@attrs.frozen(slots=True)
class Record:
    """
    What became of a session.

    @ivar time: when it was accepted, seconds since 1970.
    @ivar number: the session's, unique in this process.
    @ivar route: the route's name, or C{fallback}, C{silent}, C{undecided},
        C{close}; C{-} when the session ended before a decision.
    @ivar pattern: index of the pattern that matched, where the route has several.
    @ivar cause: why it went that way, see L{portmux.core.sniff.Cause};
        C{refused} when a limit forbade it, C{-} before a decision.
    @ivar backend: the target, or the action's name.
    @ivar sent: payload octets from the client.
    @ivar received: payload octets to the client.
    @ivar sniffed: seconds until the decision.
    @ivar seconds: from accept to the end.
    @ivar end: how it ended; C{done} is the good one.
    @ivar facts: what the bytes told, such as C{sni} and C{host}; printable.
    @ivar queued: seconds that it waited for room in a pool.
    @ivar hint: how to have it explained, where bytes came that no route matched.
    """

    time: float
    number: int
    listener: str
    route: str
    pattern: int | None
    cause: str
    client: Address
    local: Address
    backend: str
    attempts: int
    sent: int
    received: int
    sniffed: float
    seconds: float
    end: str
    detail: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    queued: float = 0.0


def hint(listener: str, data: bytes) -> str:
    """
    @return: the command that tells why no route of a listener fits the bytes; all
        of it can be given to a shell, which takes what follows C{#} for a comment.
    """
    name, first = _word(listener), data[:_HINTED].hex()
    cut = f" # first {_HINTED} of {len(data)} octets" if len(data) > _HINTED else ""
    return f"explain with: portmux explain --listener {name} --hex {first}{cut}"


def as_text(record: Record) -> str:
    """@return: one line of C{key=value} without its end; values hold no blanks."""
    pattern = "" if record.pattern is None else f" pattern={record.pattern}"
    facts = "".join(f" {name}={_word(value)}" for name, value in record.facts)
    queued = f" queued={record.queued:.3f}" if record.queued else ""
    detail = f' detail="{_quotable(record.detail)}"' if record.detail else ""
    hint = f' hint="{_quotable(record.hint, 400)}"' if record.hint else ""
    return (
        f"{timestamp(record.time)} session={record.number}"
        f" listener={_word(record.listener)} route={_word(record.route)}{pattern}"
        f" cause={record.cause} client={_shown(record.client)}"
        f" local={_shown(record.local)} backend={_word(record.backend)}"
        f" attempts={record.attempts} sent={record.sent} received={record.received}"
        f" sniffed={record.sniffed:.3f} seconds={record.seconds:.3f}"
        f"{queued} end={record.end}{facts}{detail}{hint}"
    )


def as_json(record: Record) -> str:
    """@return: one JSON object on one line, without the line's end."""
    return json.dumps(as_dict(record), separators=(",", ":"))


def as_dict(record: Record) -> dict[str, Any]:
    """@return: what JSON has of it."""
    fields: dict[str, Any] = {"time": timestamp(record.time), "session": record.number}
    fields |= attrs.asdict(record, recurse=False, filter=_is_told_as_it_is)
    fields |= {
        "client": str(record.client),
        "local": str(record.local),
        "sniffed": round(record.sniffed, 6),
        "seconds": round(record.seconds, 6),
        "queued": round(record.queued, 6),
        "facts": dict(record.facts),
    }
    return fields


def _is_told_as_it_is(field: attrs.Attribute[Any], value: object) -> bool:
    return field.name not in ("time", "number")


def timestamp(seconds: float) -> str:
    """@return: RFC 3339 in UTC with milliseconds."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{_to_the_second(whole)}.{milliseconds:03d}Z"


@lru_cache(maxsize=4)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _shown(address: Address) -> str:
    """A client chooses the path of its unix socket."""
    text = str(address)
    return printable(text) if isinstance(address, Unix) else _word(text)


@lru_cache(maxsize=1024)
def _word(text: str) -> str:
    """Names of ours, and what is printable already, stay as they are."""
    return text if _WORD.fullmatch(text) else printable(text)


def _quotable(text: str, limit: int = 200) -> str:
    """Our words, or a system's message: keep them inside their quotes."""
    return "".join(
        char if char.isprintable() and char not in '"\\' else "?"
        for char in text[:limit]
    )
