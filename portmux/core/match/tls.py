"""Match TLS clients by the server name and application protocols they ask for."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from portmux.core.head import Head, Reason, Verdict, printable
from portmux.core.option import option
from portmux.core.parse.clienthello import ClientHello, ClientHelloParser, announced
from portmux.core.pattern import Pattern, Test, some
from portmux.core.registry import Registry
from portmux.errors import Malformed

_HANDSHAKE = 22

_VERSIONS = {
    0x0300: "SSLv3",
    0x0301: "TLSv1.0",
    0x0302: "TLSv1.1",
    0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}


def _check_protocols(names: Sequence[str]) -> None:
    for name in names:
        if not 0 < len(name.encode()) < 256:
            raise ValueError(
                f"{name!r} is too long or empty, 1 to 255 octets are allowed"
            )


def _check_given(names: Sequence[str]) -> None:
    some(names)
    _check_protocols(names)


@attrs.frozen
class Tls:
    """
    Match a ClientHello.

    Without options the headers of record and message are enough; else all of it
    is read, over any number of segments and records.
    """

    sni: tuple[Pattern, ...] = option(
        "server names; a client that names none never matches",
        default=(),
        check=some,
        example="*.example.org",
    )
    alpn: tuple[str, ...] = option(
        "application protocols, of which the client offers one",
        default=(),
        check=_check_given,
        example="h2",
    )
    _names: Sequence[Test] = attrs.field(init=False, eq=False, repr=False)
    _protocols: frozenset[str] = attrs.field(init=False, eq=False, repr=False)

    @_names.default
    def _compile(self) -> Sequence[Test]:
        return tuple(pattern.ignoring_case() for pattern in self.sni)

    @_protocols.default
    def _gather(self) -> frozenset[str]:
        _check_protocols(self.alpn)
        return frozenset(self.alpn)

    def match(self, head: Head) -> Verdict:
        if not self.sni and not self.alpn:
            return Verdict.MORE if announced(head.data) is None else Verdict.YES
        hello = head.parse(ClientHelloParser)
        if hello is None:
            return Verdict.MORE
        return Verdict.of(self._wants(hello))

    def _wants(self, hello: ClientHello) -> bool:
        if self._names and self._pattern(hello.server_name) is None:
            return False
        return not self._protocols or not self._protocols.isdisjoint(hello.alpn)

    def _pattern(self, name: str) -> int | None:
        if name:
            for index, fits in enumerate(self._names):
                if fits(name):
                    return index
        return None

    def why(self, head: Head) -> Reason:
        try:
            hello = head.parse(ClientHelloParser)
        except Malformed as fault:
            return Reason(f"no ClientHello: {fault}")
        if hello is None:
            return Reason(f"{len(head.data)} octets of a ClientHello, more may come")
        index = self._pattern(hello.server_name)
        text = "ClientHello"
        if self.sni and not hello.server_name:
            text = "the client names no server"
        elif self.sni and index is None:
            text = f"no pattern fits the server name {printable(hello.server_name)}"
        elif not self._wants(hello):
            text = "the client offers none of the application protocols"
        return Reason(text, index, _facts(hello))

    def first(self) -> frozenset[int]:
        return frozenset((_HANDSHAKE,))


def _facts(hello: ClientHello) -> tuple[tuple[str, str], ...]:
    facts = []
    if hello.server_name:
        facts.append(("sni", printable(hello.server_name)))
    if hello.alpn:
        facts.append(("alpn", ",".join(map(printable, hello.alpn))))
    if hello.versions:
        newest = max(hello.versions)
        facts.append(("version", _VERSIONS.get(newest, f"0x{newest:04x}")))
    return tuple(facts)


def register(registry: Registry) -> None:
    registry.matcher("tls", Tls)
