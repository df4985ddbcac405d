"""C{portmux explain}: tell which route given bytes take, and why."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from portmux.app.build import draft, policy
from portmux.app.tunnels import opened
from portmux.commands.common import Commands, add_inputs, given_inputs, loaded
from portmux.config import sockets
from portmux.config.faults import listed
from portmux.config.model import MOST_SNIFFED, Listener
from portmux.config.octets import from_hex
from portmux.config.quantities import show_seconds
from portmux.core.address import Address, Host, Unix
from portmux.core.explain import Client, Cuts, Row, Trace, explain, try_cuts
from portmux.core.limits import Count, Gate, Limits
from portmux.core.plan import Closing, Forwarding, Plan
from portmux.core.policy import Policy
from portmux.core.pools import Pools
from portmux.core.sniff import Decision
from portmux.errors import ConfigError

_SOURCE: Final = Host("192.0.2.1", 50000)
_LOCAL: Final = "198.51.100.1"
"""Where nothing else is said; addresses for documentation (RFC 5737)."""

_EVERY: Final = ("*", "0.0.0.0", "::")

_ESCAPE: Final = re.compile(rb"\\(?:([0-9a-fA-F]{2})|([rnt]))")
_CONTROL: Final = {b"r": b"\r", b"n": b"\n", b"t": b"\t"}


def add(commands: Commands) -> None:
    text = "tell which route given bytes take, and why"
    parser = commands.add_parser("explain", help=text, description=text)
    add_inputs(parser)
    parser.add_argument("--listener", metavar="NAME", help="whose routes are asked")
    parser.add_argument("--source", metavar="ADDRESS", help="where the client is")
    parser.add_argument("--local", metavar="ADDRESS", help="what it connected to")
    parser.add_argument("--at", metavar="TIME", help="when; default: now")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--text", help=r"what it sends; \r, \n, \t, and \XX for any octet"
    )
    given.add_argument("--hex", help="the same in hexadecimal")
    given.add_argument("--file", metavar="FILE", help="the same in a file; - is stdin")
    parser.add_argument(
        "--cuts", action="store_true", help="try every way to cut it into segments"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_explain)


def _explain(options: argparse.Namespace) -> int:
    data = _data(options)
    config = opened(loaded(given_inputs(options)).config)
    listeners = config.listeners
    source = _address("--source", options.source)
    local = _address("--local", options.local)
    at = _time(options.at)
    name = _chosen(options.listener, local, listeners)
    listener = listeners[name]
    case = _Case(
        policy(name, listener, Gate(Limits(), Count()), draft=draft(config, Pools())),
        data,
        Client(
            source or _likely_source(listener),
            local or _likely_local(listener),
            at,
        ),
        assumed=(source is None, local is None),
    )
    trace = explain(case.policy.table, data, case.client)
    cuts = try_cuts(case.policy.table, data, case.client) if options.cuts else None
    if options.json:
        print(json.dumps(_as_object(case, trace, cuts), indent=2))
    else:
        print("\n".join(_as_text(case, trace, cuts)))
    return 1 if cuts is not None and cuts.differing is not None else 0


@attrs.frozen
class _Case:
    """@ivar assumed: whether nobody said what source, and what local, are."""

    policy: Policy
    data: bytes
    client: Client
    assumed: tuple[bool, bool]


# -- what is asked


def _data(options: argparse.Namespace) -> bytes:
    """@raise ConfigError: it cannot be read."""
    if options.text is not None:
        raw = options.text.encode("utf-8", "surrogateescape")
        return _ESCAPE.sub(_unescaped, raw)
    if options.hex is not None:
        try:
            return from_hex(options.hex)
        except ValueError as wrong:
            raise ConfigError([f"--hex: {wrong}"]) from wrong
    try:
        if options.file == "-":
            return sys.stdin.buffer.read(MOST_SNIFFED)
        with open(options.file, "rb") as opened:
            return opened.read(MOST_SNIFFED)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigError([f"--file: {options.file} cannot be read: {why}"]) from error


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return bytes([int(found[1], 16)])
    return _CONTROL[found[2]]


def _address(option: str, text: str | None) -> Address | None:
    """@raise ConfigError: it is none."""
    if text is None:
        return None
    try:
        return sockets.address(text)
    except ValueError as wrong:
        raise ConfigError([f"{option}: {wrong}"]) from wrong


def _time(text: str | None) -> float:
    """@raise ConfigError: it is none."""
    if text is None:
        return datetime.now(UTC).timestamp()
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        example = "2026-02-27T18:30, or with a zone 2026-02-27T18:30+01:00"
        raise ConfigError([f'--at: "{text}" is no time such as {example}']) from None


def _chosen(
    name: str | None, local: Address | None, listeners: Mapping[str, Listener]
) -> str:
    """@raise ConfigError: there is no such listener, or several could be meant."""
    if name is not None:
        if name in listeners:
            return name
        known = listed(listeners)
        raise ConfigError([f'--listener: there is no "{name}", there are: {known}'])
    names = list(listeners)
    if local is not None and len(names) > 1:
        names = [one for one in names if _listens(listeners[one], local)]
    if len(names) == 1:
        return names[0]
    if not names:
        raise ConfigError(
            [f"--local: nobody listens on {local}, there are: {listed(listeners)}"]
        )
    raise ConfigError(
        [f"there are several listeners, choose one by --listener: {listed(names)}"]
    )


def _listens(listener: Listener, local: Address) -> bool:
    addresses = [bind.address for bind in listener.bind]
    if isinstance(local, Unix):
        return local in addresses
    return any(Host(host, local.port) in addresses for host in (local.host, *_EVERY))


def _likely_source(listener: Listener) -> Address:
    unix = isinstance(listener.bind[0].address, Unix)
    return Unix("") if unix else _SOURCE


def _likely_local(listener: Listener) -> Address:
    address = listener.bind[0].address
    if isinstance(address, Unix):
        return address
    if not isinstance(address, Host):
        return Host(_LOCAL, 443)
    return Host(_LOCAL, address.port) if address.host in _EVERY else address


# -- what is answered


def _as_text(case: _Case, trace: Trace, cuts: Cuts | None) -> Iterator[str]:
    source, local = (
        f"{address} (assumed)" if assumed else str(address)
        for address, assumed in zip(
            (case.client.source, case.client.local), case.assumed, strict=True
        )
    )
    sent = _octets(len(case.data))
    yield f"listener {case.policy.listener}: {sent} from {source} to {local}"
    yield ""
    yield from _aligned(
        [
            ("", "route", "verdict", "octets", "reason"),
            *(_cells(row) for row in trace.rows),
        ]
    )
    yield ""
    if trace.decision is not None:
        yield f"{_spelt(trace.decision)}, after {_octets(trace.octets)}"
    else:
        yield f"undecided after {_octets(trace.octets)}"
    if trace.at_eof is not None:
        yield f"if the client ends now: {_spelt(trace.at_eof)}"
    if trace.at_timeout is not None:
        yield f"{_wait(case)}: {_spelt(trace.at_timeout)}"
    if cuts is not None and cuts.differing is None:
        yield f"cut into segments in {cuts.tried} ways, the same each time"
    elif cuts is not None:
        yield f"not the same when cut into segments of {_sizes(cuts)} octets"


def _octets(count: int) -> str:
    return f"{count} octet" if count == 1 else f"{count} octets"


def _cells(row: Row) -> tuple[str, ...]:
    octets = "-" if row.octets is None else str(row.octets)
    facts = " ".join(f"{name}={value}" for name, value in row.reason.facts)
    reason = f"{row.reason.text} ({facts})" if facts else row.reason.text
    mark = "*" if row.won else ""
    return mark, row.route, row.verdict.name.lower(), octets, reason


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _spelt(decision: Decision) -> str:
    name, does = decision.way.name, _does(decision.way.plan)
    if decision.matcher is not None:
        return f"{name} wins by {decision.cause.value}: {does}"
    way = does if name == does else f"{name}: {does}"
    return f"no route wins ({decision.cause.value}), {way}"


def _wait(case: _Case) -> str:
    wanted = case.policy
    wait = wanted.timeout if case.data else wanted.patience
    if wait is None:
        return "if nothing more comes, it waits without end; were it given up"
    return f"if nothing more comes within {show_seconds(wait)}"


def _sizes(cuts: Cuts) -> str:
    sizes = cuts.differing or ()
    shown = ", ".join(map(str, sizes[:16]))
    return f"{shown}, ..." if len(sizes) > 16 else shown


def _does(plan: Plan) -> str:
    if isinstance(plan, Forwarding):
        return f"forward to {', '.join(str(b.address) for b in plan.pool.backends)}"
    if isinstance(plan, Closing):
        return "reset" if plan.reset else "close"
    return plan.name


def _as_object(case: _Case, trace: Trace, cuts: Cuts | None) -> dict[str, Any]:
    found = {
        "listener": case.policy.listener,
        "octets": len(case.data),
        "source": str(case.client.source),
        "local": str(case.client.local),
        "routes": [_row_object(row) for row in trace.rows],
        "decision": _decision_object(trace.decision),
        "after": None if trace.decision is None else trace.octets,
        "at-eof": _decision_object(trace.at_eof),
        "at-timeout": _decision_object(trace.at_timeout),
    }
    if cuts is not None:
        found["cuts"] = {"tried": cuts.tried, "differing": cuts.differing}
    return found


def _row_object(row: Row) -> dict[str, Any]:
    return {
        "route": row.route,
        "verdict": row.verdict.name.lower(),
        "octets": row.octets,
        "won": row.won,
        "reason": row.reason.text,
        "pattern": row.reason.pattern,
        "facts": dict(row.reason.facts),
    }


def _decision_object(decision: Decision | None) -> dict[str, str] | None:
    if decision is None:
        return None
    way = decision.way
    return {
        "route": way.name,
        "cause": decision.cause.value,
        "action": _does(way.plan),
    }
