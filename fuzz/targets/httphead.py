"""The head of an HTTP/1 request, beside what h11 reads."""

from __future__ import annotations

import attrs
import h11

from fuzz.material import Material, require, seeds
from fuzz.parsing import check as check_parser
from portmux.core.parse.httphead import RequestParser
from tests.openings import OPENINGS, named

SEEDS = seeds(2, [OPENINGS[name] for name in sorted(named("http"))])
SEEDS += seeds(
    2,
    (
        b"GET http://user@www.example.org:80/a?b#c HTTP/1.1\nHost: x\n\n",
        b"OPTIONS * HTTP/1.1\r\nHost: [2001:db8::1]:80\r\nA:\tb \r\n\r\n",
        b"CONNECT www.example.org:443 HTTP/1.0\r\n\r\n",
    ),
)


def check(data: bytes) -> None:
    found = check_parser(RequestParser, _shown, data)
    if not isinstance(found, dict) or not found["complete"]:
        return
    material = Material(data)
    material.number(1)
    theirs = _by_h11(b"".join(material.pieces()))
    if theirs is not None:
        ours = found["method"], found["target"], found["version"]
        require(ours == theirs, "h11 reads another request", ours, theirs)


def _shown(parser: RequestParser, result: object) -> object:
    require((result is not None) == parser.request.complete, "complete", result)
    return attrs.asdict(parser.request)


def _by_h11(data: bytes) -> tuple[str, str, str] | None:
    """@return: method, target and version; None: it refuses the request."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    try:
        event = server.next_event()
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.Request):
        return None
    parts = event.method, event.target, event.http_version
    method, target, version = (part.decode("ascii") for part in parts)
    return method, target, version
