"""Find the end of a body that comes in chunks: RFC 9112, section 7.1."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

import attrs

from portmux.core.frame.httphead import bare_lines, is_trailer
from portmux.errors import Malformed

LONGEST_LINE: Final = 4096
"""Octets of a chunk's first line, extensions included; from taste."""

LONGEST_TRAILER: Final = 1 << 14
"""Octets of the fields behind the last chunk; from taste."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_END = re.compile(rb"\r?\n\r?\n")


class _Part(Enum):
    SIZE = auto()
    DATA = auto()
    TRAILER = auto()


@attrs.define(eq=False, slots=True)
class Chunks:
    """
    Goes through a body as it comes.

    @ivar strict: the lines of the trailer end with CR LF, else with LF too.
    @ivar at: index of the next octet that is not passed yet; beyond the end
        of what has come while that is all of one chunk.
    """

    at: int
    strict: bool
    _part: _Part = attrs.field(default=_Part.SIZE, init=False)
    _seen: int = attrs.field(default=0, init=False)

    def pass_over(self, data: bytearray) -> bool:
        """
        Go on; C{data} is all that has come of the message, and only grows.

        @return: the body is whole, and C{at} behind it.
        @raise Malformed: these are no chunks.
        """
        while True:
            if self._part is _Part.SIZE:
                if not self._pass_size(data):
                    return False
            elif self._part is _Part.DATA:
                if len(data) < self.at:
                    return False
                if data[self.at - 2 : self.at] != b"\r\n":
                    raise Malformed("a chunk that is longer than it says")
                self._go_on(_Part.SIZE)
            else:
                return self._pass_trailer(data)

    def _go_on(self, part: _Part) -> None:
        self._part, self._seen = part, self.at

    def _pass_size(self, data: bytearray) -> bool:
        most = self.at + LONGEST_LINE
        end = data.find(b"\n", max(self.at, self._seen), most)
        if end < 0:
            if len(data) >= most:
                raise Malformed(f"a line of a chunk of more than {LONGEST_LINE} octets")
            self._seen = len(data)
            return False
        found = _SIZE.fullmatch(data, self.at, end + 1)
        if found is None:
            raise Malformed("a chunk that does not tell its size")
        size = int(found[1], 16)
        self.at = end + 1
        if size:
            self.at += size + 2
        self._go_on(_Part.DATA if size else _Part.TRAILER)
        return True

    def _pass_trailer(self, data: bytearray) -> bool:
        """The end of the last chunk's line may be the first of the two ends."""
        most = self.at + LONGEST_TRAILER
        found = _END.search(data, max(self.at - 2, self._seen - 3), most)
        if found is None:
            if len(data) >= most:
                raise Malformed(f"a trailer of more than {LONGEST_TRAILER} octets")
            self._seen = len(data)
            return False
        trailer = bytes(data[self.at : found.end()])
        if not is_trailer(trailer) or (self.strict and bare_lines(trailer)):
            raise Malformed("a line of the trailer that is no field")
        self.at = found.end()
        return True
