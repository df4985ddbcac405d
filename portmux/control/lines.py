"""
Cut what a client of the line protocol sends into lines.

A line ends at LF, before which one CR is dropped. Of telnet's own octets whole
commands are dropped that every client may send: C{FF FB} to C{FF FE} with their
option, and C{FF F1} to C{FF F9}. RFC 854. Any other FF is not UTF-8.
"""

from __future__ import annotations

import re
from typing import Final

from portmux.errors import Malformed

LIMIT: Final = 1024
"""Octets of a line, its LF apart: plexy's limit."""

_TELNET: Final = re.compile(rb"\xff(?:[\xfb-\xfe][^\n]|[\xf1-\xf9])")


class Lines:
    """@ivar limit: octets that a line may have, a CR included."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._data = b""
        self._looked = 0

    def __len__(self) -> int:
        """@return: octets that are held."""
        return len(self._data)

    def begins_with(self, octets: bytes) -> bool:
        """@return: whether the next line does."""
        return self._data.startswith(octets)

    def feed(self, data: bytes) -> None:
        """These came; whoever calls sees to it that they are not too many."""
        self._data += data

    def next(self) -> str | None:
        """
        @return: a line without its end; None: more has to come.
        @raise Malformed: nothing behind can be read any more.
        """
        end = self._data.find(b"\n", self._looked, self.limit + 1)
        if end < 0:
            self._looked = min(len(self._data), self.limit + 1)
            if len(self._data) > self.limit:
                raise Malformed("max line length exceeded")
            return None
        line, self._data, self._looked = self._data[:end], self._data[end + 1 :], 0
        if b"\xff" in line:
            line = _TELNET.sub(b"", line)
        try:
            return line.removesuffix(b"\r").decode()
        except UnicodeDecodeError:
            raise Malformed("Unable to decode input as UTF8") from None

    @property
    def unfinished(self) -> bool:
        """Whether there is the beginning of a line."""
        return bool(self._data)
