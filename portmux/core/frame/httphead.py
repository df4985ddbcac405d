"""
What the head of an HTTP/1 message says of where the message ends.

Strict, since what is shared by many must be read alike by all: with requests,
whatever two readers might take differently is refused. RFC 9112.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from portmux.core.head import printable
from portmux.errors import Malformed

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*"

REQUEST_LINE: Final = rb"(%b) ([!-~]+) HTTP/1\.([0-9])\r?\n" % _TOKEN
STATUS_LINE: Final = rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})( %b)?\r?\n" % _TEXT

NO_REQUEST: Final = "no request line of HTTP/1"
NO_ANSWER: Final = "no status line of HTTP/1"

_REQUEST = re.compile(REQUEST_LINE)
_STATUS = re.compile(STATUS_LINE)
_FIELDS = re.compile(rb"(?:%b:%b\r?\n)*\r?\n" % (_TOKEN, _TEXT))
_FRAMING = re.compile(
    rb"(?im)^(content-length|transfer-encoding|connection|upgrade|expect):"
    rb"([^\r\n]*)"
)
_LENGTH = re.compile(rb"[0-9]{1,18}")

_WITHOUT_BODY: Final = frozenset({204, 304})
"""RFC 9112, section 6.3."""


@attrs.frozen(slots=True)
class Shape:
    """
    Of a message whose head is whole.

    @ivar length: octets behind the head; None: only its end tells.
    @ivar chunked: the body is in chunks, of which the last one is its end;
        otherwise, and without a length, it ends with the connection.
    @ivar interim: the head of an answer before the answer itself.
    @ivar closes: the connection is over with it.
    @ivar expects: whoever sends it waits for leave to send the body.
    """

    length: int | None
    chunked: bool = False
    interim: bool = False
    closes: bool = False
    expects: bool = False


@attrs.frozen(slots=True)
class _Fields:
    """What is said of the framing; values of one name are joined, in lower case."""

    values: dict[bytes, bytes]

    @property
    def options(self) -> list[bytes]:
        """Of the connection, RFC 9110, section 7.6.1."""
        return _list(self.values.get(b"connection", b""))

    @property
    def codings(self) -> list[bytes]:
        return _list(self.values.get(b"transfer-encoding", b""))

    @property
    def length(self) -> int | None:
        """@raise Malformed: it is none, or there are several."""
        told = self.values.get(b"content-length")
        if told is None:
            return None
        each = {one.strip(b" \t") for one in told.split(b",")}
        if len(each) > 1:
            raise Malformed("several values of Content-Length")
        (one,) = each
        if not _LENGTH.fullmatch(one):
            raise Malformed(f"a Content-Length of {printable(one)}")
        return int(one)

    def closes(self, minor: bytes) -> bool:
        """@see: RFC 9112, section 9.3."""
        options = self.options
        return b"close" in options or (minor == b"0" and b"keep-alive" not in options)


def request_shape(head: bytes) -> Shape:
    """@raise Malformed: this is no request, or none that can be shared."""
    line = _REQUEST.match(head)
    if line is None:
        raise Malformed(NO_REQUEST)
    if bare_lines(head):
        raise Malformed("a line of the head that does not end with CR LF")
    fields = _fields(head, line.end())
    if line[1] == b"CONNECT":
        raise Malformed("a request of CONNECT, no tunnel can be shared")
    if b"upgrade" in fields.values:
        raise Malformed("a request to upgrade, another protocol can not be shared")
    codings, length = fields.codings, fields.length
    if b"transfer-encoding" in fields.values:
        if length is not None:
            raise Malformed("Content-Length beside Transfer-Encoding")
        if (
            line[3] == b"0"
            or codings[-1:] != [b"chunked"]
            or codings.count(b"chunked") > 1
        ):
            raise Malformed("a Transfer-Encoding that does not tell the end")
    return Shape(
        length=None if codings else length or 0,
        chunked=bool(codings),
        closes=fields.closes(line[3]),
        expects=line[3] != b"0"
        and b"100-continue" in fields.values.get(b"expect", b""),
    )


def answer_shape(head: bytes, bodiless: bool) -> Shape:
    """
    @param bodiless: it answers a HEAD request.
    @raise Malformed: this is no answer, or one that ends HTTP.
    """
    line = _STATUS.match(head)
    if line is None:
        raise Malformed(NO_ANSWER)
    fields = _fields(head, line.end())
    status = int(line[2])
    if status == 101:
        raise Malformed("a switch to another protocol")
    if status < 200:
        return Shape(length=0, interim=True)
    closes, codings = fields.closes(line[1]), fields.codings
    if bodiless or status in _WITHOUT_BODY:
        return Shape(length=0, closes=closes)
    if b"transfer-encoding" in fields.values:
        chunked = codings[-1:] == [b"chunked"]
        ambiguous = b"content-length" in fields.values
        return Shape(None, chunked, closes=closes or ambiguous or not chunked)
    length = fields.length
    return Shape(length, closes=closes or length is None)


def bare_lines(octets: bytes) -> bool:
    """@return: there is a CR or an LF without the other one."""
    return not octets.count(b"\r") == octets.count(b"\n") == octets.count(b"\r\n")


def is_trailer(octets: bytes) -> bool:
    """@return: these are the lines behind the last chunk, the empty one included."""
    return _FIELDS.fullmatch(octets) is not None


def _fields(head: bytes, start: int) -> _Fields:
    if not _FIELDS.fullmatch(head, start):
        raise Malformed("a line of the head that is no field")
    values: dict[bytes, bytes] = {}
    for found in _FRAMING.finditer(head, start):
        name, value = found[1].lower(), found[2].strip(b" \t").lower()
        values[name] = values[name] + b"," + value if name in values else value
    return _Fields(values)


def _list(value: bytes) -> list[bytes]:
    """@see: RFC 9110, section 5.6.1: empty elements do not count."""
    return [one for each in value.split(b",") if (one := each.strip(b" \t"))]
