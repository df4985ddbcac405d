"""
Read the first message of a TLS client (RFC 8446, section 4.1.2).

It may come in any number of segments and of records, down to one octet each.
"""

from __future__ import annotations

from collections.abc import Generator

import attrs

from portmux.core.parse.helloextensions import (
    ALPN,
    SERVER_NAME,
    VERSIONS,
    alpn,
    server_name,
    versions,
)
from portmux.errors import Malformed

MOST = 1 << 16
"""Octets of a hello: post-quantum ones have 2 KiB, the protocol allows 128 MiB."""

LEAST = 2 + 32 + 1 + 2 + 2 + 1 + 1
"""Octets of a hello with one cipher suite and nothing that may be left out."""

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_MOST_IN_RECORD = 1 << 14  # RFC 8446, section 5.1
_RECORD_HEADER = 5
_MESSAGE_HEADER = 4
_MAJOR = 3  # of every version there is, SSL 3.0 to TLS 1.3
_MOST_MINOR = 4

_MOST_SESSION = 32  # RFC 8446, section 4.1.2
_READ = frozenset({SERVER_NAME, ALPN, VERSIONS})

Steps = Generator[None, None, "ClientHello"]


@attrs.frozen(slots=True)
class ClientHello:
    """
    What a client wants, as far as one can see without a key.

    @ivar server_name: in lower case, without a dot at its end; empty when the
        client names none.
    @ivar alpn: the application protocols it offers, in its order.
    @ivar versions: of the protocol, in its order, as two octets each: 0x0304
        is TLS 1.3. What only tests tolerance (RFC 8701) is left out.
    """

    server_name: str
    alpn: tuple[str, ...]
    versions: tuple[int, ...]


@attrs.define(eq=False, slots=True)
class ClientHelloParser:
    """
    Reads a L{ClientHello}; see L{portmux.core.head.Parser}.

    @ivar _at: index of the next octet to read.
    @ivar _left: octets of the current record behind that.
    @ivar _message: what the records read so far hold.
    """

    _at: int = 0
    _left: int = 0
    _message: bytearray = attrs.field(factory=bytearray)
    _hello: ClientHello | None = None
    _steps: Steps = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._steps = _hello(self._message)

    def read(self, data: bytearray) -> ClientHello | None:
        """
        @raise Malformed: no ClientHello starts like this. What is wrong inside
            of an extension is found when its last octet is there.
        """
        while self._hello is None:
            if not self._left:
                size = _record(data, self._at)
                if size is None:
                    return None
                self._left = size
                self._at += _RECORD_HEADER
            piece = data[self._at : self._at + self._left]
            if not piece:
                return None
            self._at += len(piece)
            self._left -= len(piece)
            self._message += piece
            self._go_on()
        return self._hello

    def _go_on(self) -> None:
        try:
            next(self._steps)
        except StopIteration as end:
            self._hello = end.value


def announced(data: bytearray) -> int | None:
    """
    Read no further than the headers; look at the first 24 octets at most.

    @return: how many octets the ClientHello will have; None while the headers
        are incomplete.
    @raise Malformed: this is not the start of a ClientHello.
    """
    at, header = 0, bytearray()
    while (size := _record(data, at)) is not None:
        at += _RECORD_HEADER
        header += data[at : at + min(size, _MESSAGE_HEADER - len(header))]
        found = _message_size(header)
        if found is not None:
            return found
        at += size
    return None


def _record(data: bytearray, at: int) -> int | None:
    """@return: the size of the record that starts at C{at}; None: incomplete."""
    header = data[at : at + _RECORD_HEADER]
    have = len(header)
    if have > 0 and header[0] != _HANDSHAKE:
        raise Malformed(f"record of type {header[0]}, not a handshake")
    if (have > 1 and header[1] != _MAJOR) or (have > 2 and header[2] > _MOST_MINOR):
        raise Malformed("record of an unknown version")
    if have < _RECORD_HEADER:
        return None
    size = header[3] << 8 | header[4]
    if not 0 < size <= _MOST_IN_RECORD:
        raise Malformed(f"record of {size} octets")
    return size


def _message_size(message: bytearray) -> int | None:
    """@return: the size that a message's header announces; None: incomplete."""
    if message and message[0] != _CLIENT_HELLO:
        raise Malformed(f"handshake message of type {message[0]}, not a ClientHello")
    if len(message) < _MESSAGE_HEADER:
        return None
    size = int.from_bytes(message[1:_MESSAGE_HEADER], "big")
    if not LEAST <= size <= MOST:
        raise Malformed(f"ClientHello of {size} octets")
    return size


@attrs.define(eq=False, slots=True)
class _Found:
    """What the extensions read so far say."""

    server_name: str = ""
    alpn: tuple[str, ...] = ()
    versions: tuple[int, ...] | None = None

    def read(self, kind: int, body: bytes) -> None:
        if kind == SERVER_NAME:
            self.server_name = server_name(body)
        elif kind == ALPN:
            self.alpn = alpn(body)
        elif kind == VERSIONS:
            self.versions = versions(body)


def _hello(message: bytearray) -> Steps:
    """
    Read a message that grows between steps; each step goes as far as it can.

    The loops that wait stand here again and again because most messages are
    there at once, and then a loop costs less than a call.
    """
    while (size := _message_size(message)) is None:
        yield
    end = _MESSAGE_HEADER + size
    found = _Found()
    at = yield from _parameters(message, end)
    if at < end:  # before TLS 1.2 there may be no extensions at all
        while len(message) < at + 2:
            yield
        at += 2
        if at + _word(message, at - 2) != end:
            raise Malformed("extensions end elsewhere than the ClientHello")
        yield from _extensions(message, at, end, found)
    while len(message) < end:
        yield
    legacy = (_word(message, _MESSAGE_HEADER),)
    offered = legacy if found.versions is None else found.versions
    return ClientHello(found.server_name, found.alpn, offered)


def _parameters(message: bytearray, end: int) -> Generator[None, None, int]:
    """@return: where the extensions start: C{end}, or two octets and more before."""
    at = _MESSAGE_HEADER
    while len(message) <= at:
        yield
    if message[at] != _MAJOR:
        raise Malformed("ClientHello of an unknown version")
    at += 2 + 32  # version, random
    while len(message) <= at:
        yield
    size = message[at]
    at += 1 + size
    if size > _MOST_SESSION or at + 2 + 2 + 1 + 1 > end:
        raise Malformed(f"session of {size} octets")
    while len(message) < at + 2:
        yield
    size = _word(message, at)
    at += 2 + size
    if not size or size % 2 or at + 1 + 1 > end:
        raise Malformed(f"cipher suites of {size} octets")
    while len(message) <= at:
        yield
    size = message[at]
    at += 1 + size
    if not size or at > end or at + 1 == end:
        raise Malformed(f"compression methods of {size} octets")
    return at


def _extensions(
    message: bytearray, at: int, end: int, found: _Found
) -> Generator[None, None, None]:
    seen: set[int] = set()
    while at < end:
        if at + 4 > end:
            raise Malformed("an extension ends behind the ClientHello")
        while len(message) < at + 4:
            yield
        kind, size = _word(message, at), _word(message, at + 2)
        at += 4
        if at + size > end:
            raise Malformed(f"extension of {size} octets ends behind the ClientHello")
        if kind in seen:
            raise Malformed(f"there are two extensions of type {kind}")
        seen.add(kind)
        if kind in _READ:
            while len(message) < at + size:
                yield
            found.read(kind, bytes(message[at : at + size]))
        at += size


def _word(octets: bytes | bytearray, at: int) -> int:
    return octets[at] << 8 | octets[at + 1]
