"""A table of random routes, and a connection whose bytes come in random pieces."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fuzz.material import Material, require, seeds
from portmux.core.head import Matcher
from portmux.core.match.all_of import All
from portmux.core.match.always import Always
from portmux.core.match.any_of import AnyOf
from portmux.core.match.http import Http
from portmux.core.match.negation import Not
from portmux.core.match.prefix import Prefix
from portmux.core.match.regex import Regex
from portmux.core.match.ssh import Ssh
from portmux.core.match.tls import Tls
from portmux.core.pattern import Pattern
from portmux.core.plan import Closing
from portmux.core.sniff import Cause, Decision, Route, Sniffer, Table, Way
from portmux.testing import LOCAL, SOURCE
from tests.openings import OPENINGS

_LEAVES: Sequence[Matcher] = (
    Ssh(),
    Tls(),
    Tls(sni=(Pattern("*.example.org"),)),
    Tls(alpn=("h2",)),
    Http(),
    Http(method=("GET",), host=(Pattern("www.*"),)),
    Http(path=(Pattern(regex="/[a-z]+"),)),
    Http(header={"user-agent": (Pattern("*[0-9]"),)}),
    Prefix((b"", b"SSH-2.0-")),
    Prefix((b"GET /index.html", b"\0\x0e8")),
    Regex(("(GET|POST) /[a-z]*[.]html",)),
    Regex(("(a+)+b", "[^\\n]{70}H")),
    Always(),
)

_ENDS = (Cause.EOF, Cause.TIMEOUT)

_RANDOM = Random(1)

SEEDS = seeds(0, OPENINGS.values())
SEEDS += [data + _RANDOM.randbytes(32) for data in OPENINGS.values()]


def check(data: bytes) -> None:
    material = Material(data)
    eager, end = material.number(2) == 1, _ENDS[material.number(2)]
    limit = 1 + material.number(4096) if material.number(4) == 1 else 1 << 16
    count = 1 + material.number(4)
    routes = [
        Route(_matcher(material, 2), Way(str(index), Closing()))
        for index in range(count)
    ]
    names = ("fallback", "silent", "undecided")
    fallback, silent, undecided = (Way(name, Closing()) for name in names)
    pieces = material.pieces()
    table = Table(routes, fallback, silent, undecided, limit, eager)
    once = _decide(table, [b"".join(pieces)], end)
    parts = _decide(table, pieces, end)
    require(once == parts, "a cut", once, parts, routes, pieces)


def _matcher(material: Material, depth: int) -> Matcher:
    kind = material.number(len(_LEAVES) + (3 if depth else 0))
    if kind < len(_LEAVES):
        return _LEAVES[kind]
    inner = [_matcher(material, depth - 1) for _ in range(1 + material.number(2))]
    if kind == len(_LEAVES):
        return Not(inner[0])
    return All(tuple(inner)) if kind == len(_LEAVES) + 1 else AnyOf(tuple(inner))


def _decide(table: Table, pieces: list[bytes], end: Cause) -> tuple[str, Cause]:
    """@return: the way it goes and why; the bytes are checked to be there."""
    decision = table.accept(SOURCE, LOCAL)
    sniffer: Sniffer | None = None
    fed = b""
    for piece in pieces:
        if decision is not None:
            break
        if not piece:
            continue
        fed += piece
        if sniffer is None:
            found = table.first(piece, SOURCE, LOCAL)
            decision = found if isinstance(found, Decision) else None
            sniffer = None if isinstance(found, Decision) else found
        else:
            decision = sniffer.feed(piece)
        if sniffer is not None:
            require(sniffer.data == fed, "bytes are lost", fed, sniffer.data)
    if decision is None and sniffer is not None:
        decision = sniffer.give_up(end)
    if decision is None:
        decision = table.unheard(Cause.EOF, SOURCE, LOCAL)
    table.reason(decision, sniffer)
    return decision.way.name, decision.cause
