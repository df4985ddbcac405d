"""
Read the head of an HTTP/1 request (RFC 9112, sections 2 to 5).

What is known of it is there as soon as its last octet is: the method before the
target, the request line before the fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

import attrs

from portmux.errors import Malformed

MOST = 1 << 16
"""Octets of a head; others stop at 8 to 64 KiB."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]*")
_VISIBLE = re.compile(rb"[\x21-\x7e]*")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_LINE = re.compile(
    rb"(?=[^ ])(%b) (?=[^ ])(%b) HTTP/(1\.[0-9])\r?\n"
    % (_TOKEN.pattern, _VISIBLE.pattern)
)
_FIELD = re.compile(rb"(?=[^:])(%b):(%b)\r?\n" % (_TOKEN.pattern, _VALUE.pattern))
_VERSION = b"HTTP/1."

_LF, _CR, _SP, _COLON = b"\n\r :"
_DIGITS = frozenset(b"0123456789")

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<authority>[^/?#]*)(?P<rest>.*)")
_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Za-z:.%~_-]+)\]|(?P<name>[0-9A-Za-z._~!$&'()*+,;=%-]*))(?::[0-9]*)?"
)

Steps = Generator[None, None, None]


@attrs.define(eq=False, slots=True)
class Request:
    """
    What is known of a request; None: its last octet is not there yet.

    @ivar target: as it came.
    @ivar path: the target without query; empty where it has none (CONNECT).
    @ivar host: whom the request is for, in lower case, without port, brackets
        and a dot at its end: from the target if it says so, else from the Host
        field; empty when neither does. Before C{complete} another Host field
        may still show that the head is malformed.
    @ivar version: C{1.0}, C{1.1}; with it the request line is whole.
    @ivar fields: of those read so far: names in lower case, values as they came.
    @ivar complete: the head is whole.
    """

    method: str | None = None
    target: str | None = None
    path: str | None = None
    host: str | None = None
    version: str | None = None
    fields: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    complete: bool = False

    def values(self, name: str) -> list[str]:
        """@return: the values of the fields of this name, given in lower case."""
        wanted = name.encode()
        return [_text(value) for field, value in self.fields if field == wanted]

    def set_target(self, octets: bytes) -> None:
        self.target = octets.decode("ascii")
        authority, self.path = _split(self.method, self.target)
        if authority is not None:
            self.host = _host(authority.rpartition("@")[2])

    def add(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"host":
            if self.values("host"):
                raise Malformed("there are two Host fields")
            host = _host(_text(value))
            if self.host is None:  # RFC 9112, section 3.2.2: the target wins
                self.host = host
        self.fields.append((name, value))

    def finish(self) -> None:
        self.host = self.host or ""
        self.complete = True


@attrs.define(eq=False, slots=True)
class _Cursor:
    """
    A place in the bytes.

    @ivar data: all that has come, while something is read.
    @ivar at: index of the next octet.
    """

    data: bytearray | bytes = b""
    at: int = 0

    def run(self, allowed: re.Pattern[bytes]) -> Generator[None, None, bytes]:
        """
        Go to the first octet that is not allowed.

        @return: the octets before it.
        """
        start = self.at
        while True:
            run = allowed.match(self.data, self.at)
            self.at = run.end() if run else self.at
            if self.at >= MOST:
                raise Malformed(f"head of more than {MOST} octets")
            if self.at < len(self.data):
                return bytes(self.data[start : self.at])
            yield

    def octet(self) -> Generator[None, None, int]:
        """@return: the next octet, which is passed."""
        if self.at >= MOST:
            raise Malformed(f"head of more than {MOST} octets")
        while self.at == len(self.data):
            yield
        self.at += 1
        return self.data[self.at - 1]


@attrs.define(eq=False, slots=True)
class RequestParser:
    """
    Reads a request's head, and no further; see L{portmux.core.head.Parser}.

    @ivar request: what is known so far.
    """

    request: Request = attrs.field(factory=Request)
    _cursor: _Cursor = attrs.field(init=False, factory=_Cursor)
    _steps: Steps | None = attrs.field(init=False, default=None)
    _fault: str | None = attrs.field(init=False, default=None)

    def read_line(self, data: bytearray) -> bool:
        """
        Read on, to the end of the request line at most.

        @return: the line is whole.
        @raise Malformed: no request starts like this.
        """
        if self.request.version is None:
            self._go_on(_whole_line, _read_line, data)
        return self.request.version is not None

    def read(self, data: bytearray) -> Request | None:
        """
        Read on, to the end of the head at most.

        @return: the request when its head is whole.
        @raise Malformed: no head starts like this.
        """
        if self.read_line(data) and not self.request.complete:
            self._go_on(_whole_fields, _read_fields, data)
        return self.request if self.request.complete else None

    def _go_on(
        self,
        at_once: Callable[[_Cursor, Request], bool],
        step_by_step: Callable[[_Cursor, Request], Steps],
        data: bytearray,
    ) -> None:
        if self._fault is not None:
            raise Malformed(self._fault)
        self._cursor.data = data
        try:
            if self._steps is None:
                if at_once(self._cursor, self.request):
                    return
                self._steps = step_by_step(self._cursor, self.request)
            next(self._steps)
        except StopIteration:
            self._steps = None
        except Malformed as fault:
            self._fault = str(fault)
            raise
        finally:
            self._cursor.data = b""


def _whole_line(cursor: _Cursor, request: Request) -> bool:
    """@return: whether all of it is there, as it mostly is."""
    line = _LINE.match(cursor.data, 0, MOST)
    if line is None:
        return False
    method, target, version = line.groups()
    request.method = method.decode("ascii")
    request.set_target(target)
    request.version = version.decode("ascii")
    cursor.at = line.end()
    return True


def _read_line(cursor: _Cursor, request: Request) -> Steps:
    method = yield from cursor.run(_TOKEN)
    if not method or (yield from cursor.octet()) != _SP:
        raise Malformed("no method")
    request.method = method.decode("ascii")
    target = yield from cursor.run(_VISIBLE)
    if not target or (yield from cursor.octet()) != _SP:
        raise Malformed("no target")
    request.set_target(target)
    for expected in _VERSION:
        if (yield from cursor.octet()) != expected:
            raise Malformed("no HTTP/1 version")
    minor = yield from cursor.octet()
    if minor not in _DIGITS:
        raise Malformed("no HTTP/1 version")
    yield from _read_line_end(cursor)
    request.version = f"1.{minor:c}"


def _whole_fields(cursor: _Cursor, request: Request) -> bool:
    """Read those that are there. @return: whether they end the head as usual."""
    data, match = cursor.data, _FIELD.match
    while (field := match(data, cursor.at, MOST)) is not None:
        cursor.at = field.end()
        request.add(field[1], field[2])
    if cursor.at > MOST - 2 or not data.startswith(b"\r\n", cursor.at):
        return False
    cursor.at += 2
    request.finish()
    return True


def _read_fields(cursor: _Cursor, request: Request) -> Steps:
    while not _whole_fields(cursor, request):
        name = yield from cursor.run(_TOKEN)
        if not name and cursor.data[cursor.at] in (_CR, _LF):
            break
        if not name or (yield from cursor.octet()) != _COLON:
            raise Malformed("no field name")
        value = yield from cursor.run(_VALUE)
        yield from _read_line_end(cursor)
        request.add(name, value)
    else:
        return
    yield from _read_line_end(cursor)
    request.finish()


def _read_line_end(cursor: _Cursor) -> Steps:
    """CR LF, or LF alone: RFC 9112, section 2.2."""
    octet = yield from cursor.octet()
    if octet == _CR:
        octet = yield from cursor.octet()
    if octet != _LF:
        raise Malformed("a line ends in the wrong place")


def _split(method: str | None, target: str) -> tuple[str | None, str]:
    """@return: the target's authority, None where it has none, and its path."""
    if method == "CONNECT":  # RFC 9112, section 3.2.3
        return target, ""
    absolute = None if target[0] == "/" else _ABSOLUTE.fullmatch(target)
    if absolute is None:
        return None, _path(target)
    return absolute["authority"], _path(absolute["rest"]) or "/"


def _path(target: str) -> str:
    return target.partition("#")[0].partition("?")[0]


def _text(value: bytes) -> str:
    return value.strip(b" \t").decode("utf-8", "surrogateescape")


def _host(authority: str) -> str:
    found = _HOST.fullmatch(authority)
    if found is None:
        raise Malformed("no host that there can be")
    return (found["v6"] or found["name"] or "").lower().removesuffix(".")
