"""
Read the head of an HTTP/1 request (RFC 9112, sections 2 to 5).

What is known of it is there as soon as its last octet is: the method before the
target, the request line before the fields.
"""

from __future__ import annotations

import re
from collections.abc import Generator

import attrs

from portmux.errors import Malformed

MOST = 1 << 16
"""Octets of a head; others stop at 8 to 64 KiB."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]*")
_VISIBLE = re.compile(rb"[\x21-\x7e]*")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_LINE = re.compile(
    rb"(%b) (%b) HTTP/(1\.[0-9])\r?\n" % (_TOKEN.pattern, _VISIBLE.pattern)
)
_FIELD = re.compile(rb"(%b):(%b)\r?\n" % (_TOKEN.pattern, _VALUE.pattern))
_VERSION = b"HTTP/1."

_LF, _CR, _SP, _COLON = b"\n\r :"
_DIGITS = frozenset(b"0123456789")

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<authority>[^/?#]*)(?P<rest>.*)")
_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Za-z:.%~_-]+)\]|(?P<name>[0-9A-Za-z._~!$&'()*+,;=%-]*))(?::[0-9]*)?"
)

Steps = Generator[None, None, None]


@attrs.define(eq=False, slots=True)
class RequestParser:
    """
    Reads a request's head, and no further.

    @ivar method: None while it is incomplete, like all below.
    @ivar target: as it came.
    @ivar path: the target without query; empty where it has none (CONNECT).
    @ivar host: whom the request is for, in lower case, without port, brackets
        and a dot at its end: from the target if it says so, else from the Host
        field; empty when neither does. Before C{complete} another Host field
        may still show that the head is malformed.
    @ivar version: C{1.0}, C{1.1}; with it the request line is whole.
    @ivar fields: names in lower case, and values, of the fields read so far.
    @ivar complete: the head is whole.
    """

    method: str | None = None
    target: str | None = None
    path: str | None = None
    host: str | None = None
    version: str | None = None
    fields: list[tuple[str, str]] = attrs.field(factory=list)
    complete: bool = False
    _data: bytearray | bytes = b""
    _at: int = 0
    _fault: Malformed | None = None
    _line: Steps = attrs.field(init=False)
    _rest: Steps = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._line = self._read_line()
        self._rest = self._read_fields()

    def read_line(self, data: bytearray) -> bool:
        """
        Read on, to the end of the request line at most.

        @return: the line is whole.
        @raise Malformed: no request starts like this.
        """
        if self.version is None:
            self._go_on(self._line, data)
        return self.version is not None

    def read(self, data: bytearray) -> RequestParser | None:
        """
        Read on, to the end of the head at most.

        @return: itself when the head is whole.
        @raise Malformed: no head starts like this.
        """
        if self.read_line(data) and not self.complete:
            self._go_on(self._rest, data)
        return self if self.complete else None

    def values(self, name: str) -> list[str]:
        """@return: the values of the fields of this name, given in lower case."""
        return [value for field, value in self.fields if field == name]

    def _go_on(self, steps: Steps, data: bytearray) -> None:
        if self._fault is not None:
            raise self._fault
        self._data = data
        try:
            next(steps, None)
        except Malformed as fault:
            self._fault = fault
            raise
        finally:
            self._data = b""

    def _read_line(self) -> Steps:
        """Mostly the line is there at once, else it is read run by run."""
        line = _LINE.match(self._data, 0, MOST)
        if line is not None and line[1] and line[2]:
            self.method = line[1].decode("ascii")
            self._set_target(line[2].decode("ascii"))
            self.version = line[3].decode("ascii")
            self._at = line.end()
            return
        yield from self._run(_TOKEN)
        if not self._at or self._data[self._at] != _SP:
            raise Malformed("no method")
        self.method = self._text(0)
        self._at += 1
        start = self._at
        yield from self._run(_VISIBLE)
        if self._at == start or self._data[self._at] != _SP:
            raise Malformed("no target")
        self._set_target(self._text(start))
        self._at += 1
        start = self._at
        yield from self._read_version()
        version = self._text(start + len("HTTP/"))
        yield from self._read_line_end()
        self.version = version

    def _set_target(self, target: str) -> None:
        authority, self.path = _split(self.method or "", target)
        if authority is not None:
            self.host = _host(authority.rpartition("@")[2])
        self.target = target

    def _read_version(self) -> Steps:
        for octet in _VERSION:
            yield from self._wait()
            if self._data[self._at] != octet:
                raise Malformed("no HTTP/1 version")
            self._at += 1
        yield from self._wait()
        if self._data[self._at] not in _DIGITS:
            raise Malformed("no HTTP/1 version")
        self._at += 1

    def _read_fields(self) -> Steps:
        """Like the line: whole, or run by run."""
        while True:
            field = _FIELD.match(self._data, self._at, MOST)
            if field is not None and field[1]:
                self._at = field.end()
                self._add(field[1], field[2])
                continue
            start = self._at
            yield from self._run(_TOKEN)
            if self._at == start and self._data[start] in (_CR, _LF):
                break
            if self._at == start or self._data[self._at] != _COLON:
                raise Malformed("no field name")
            name = bytes(self._data[start : self._at])
            self._at += 1
            start = self._at
            yield from self._run(_VALUE)
            value = bytes(self._data[start : self._at])
            yield from self._read_line_end()
            self._add(name, value)
        yield from self._read_line_end()
        self.host = self.host or ""
        self.complete = True

    def _add(self, octets: bytes, value_octets: bytes) -> None:
        name = octets.decode("ascii").lower()
        value = value_octets.strip(b" \t").decode("utf-8", "surrogateescape")
        if name == "host":
            if self.values(name):
                raise Malformed("there are two Host fields")
            host = _host(value)
            if self.host is None:  # RFC 9112, section 3.2.2: the target wins
                self.host = host
        self.fields.append((name, value))

    def _read_line_end(self) -> Steps:
        """CR LF, or LF alone: RFC 9112, section 2.2."""
        yield from self._wait()
        if self._data[self._at] == _CR:
            self._at += 1
            yield from self._wait()
        if self._data[self._at] != _LF:
            raise Malformed("a line ends in the wrong place")
        self._at += 1

    def _run(self, allowed: re.Pattern[bytes]) -> Steps:
        """Go to the first octet that is not allowed."""
        while True:
            run = allowed.match(self._data, self._at)
            self._at = run.end() if run else self._at
            if self._at >= MOST:
                raise Malformed(f"head of more than {MOST} octets")
            if self._at < len(self._data):
                return
            yield

    def _wait(self) -> Steps:
        """Go on when there is a next octet."""
        if self._at >= MOST:
            raise Malformed(f"head of more than {MOST} octets")
        while self._at == len(self._data):
            yield

    def _text(self, start: int) -> str:
        return bytes(self._data[start : self._at]).decode("ascii")


def _split(method: str, target: str) -> tuple[str | None, str]:
    """@return: the target's authority, None where it has none, and its path."""
    if method == "CONNECT":  # RFC 9112, section 3.2.3
        return target, ""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        return None, _path(target)
    return absolute["authority"], _path(absolute["rest"]) or "/"


def _path(target: str) -> str:
    return target.partition("#")[0].partition("?")[0]


def _host(authority: str) -> str:
    found = _HOST.fullmatch(authority)
    if found is None:
        raise Malformed("no host that there can be")
    return (found["v6"] or found["name"] or "").lower().removesuffix(".")
