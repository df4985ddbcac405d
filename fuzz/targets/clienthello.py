"""The first message of a TLS client."""

from __future__ import annotations

from fuzz.material import Material, require, seeds
from fuzz.parsing import MALFORMED
from fuzz.parsing import check as check_parser
from portmux.core.parse.clienthello import ClientHello, ClientHelloParser, announced
from portmux.errors import Malformed
from tests.openings import OPENINGS, named

SEEDS = seeds(2, [OPENINGS[name] for name in sorted(named("tls"))])


def check(data: bytes) -> None:
    found = check_parser(ClientHelloParser, lambda parser, result: result, data)
    material = Material(data)
    material.number(1)
    octets = b"".join(material.pieces())
    try:
        size = announced(bytearray(octets))
    except Malformed:
        require(found in (MALFORMED, None), "a hello that was not announced", found)
        return
    if isinstance(found, ClientHello):
        require(size is not None and size <= len(octets), "announced", size)
        name = found.server_name
        require(name.isascii() and name == name.lower(), "no server name", name)
        require(all(found.alpn), "an empty protocol", found.alpn)
