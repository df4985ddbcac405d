"""Readers that several framers share: by a length that is told, or by an end mark."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from portmux.core.frame.framer import Frame
from portmux.errors import Malformed

Measure = Callable[[bytes | bytearray], int | None]
"""
Tells a frame's length from its first octets: None while they are too few.

It looks at a bounded number of octets, and raises L{Malformed} at what is no frame.
"""


@attrs.define(eq=False, slots=True)
class Measured:
    """
    Reads frames whose first octets tell their length; a L{Reader}.

    @ivar check: looks at each whole frame, and raises L{Malformed} at a wrong one.
    @ivar held: octets taken of which no frame was given yet.
    """

    _measure: Measure
    _check: Callable[[bytes], None] | None = None
    held: int = attrs.field(default=0, init=False)
    _buffer: bytes | bytearray = attrs.field(default=b"", init=False)
    _size: int | None = attrs.field(default=None, init=False)

    def feed(self, data: bytes) -> None:
        if self.held:
            buffer = self._gather()
            buffer += data
        else:
            self._buffer = data  # mostly one frame, which is not copied then
        self.held += len(data)

    def read(self, request: Frame | None = None) -> Frame | None:
        held, buffer = self.held, self._buffer
        if not held:
            return None
        size = self._size or self._measure(buffer)
        if size is None or held < size:
            self._size = size
            return None
        data = bytes(buffer[:size])
        if self._check is not None:
            self._check(data)
        if held == size:
            self._buffer = b""
        else:
            del self._gather()[:size]
        self.held, self._size = held - size, None
        return Frame(data)

    def _gather(self) -> bytearray:
        """@return: what is held, where octets can be added and taken away."""
        buffer = self._buffer
        if not isinstance(buffer, bytearray):
            buffer = self._buffer = bytearray(buffer)
        return buffer

    def end(self, request: Frame | None = None) -> Frame | None:
        return None

    def prompt(self) -> bytes:
        return b""


@attrs.define(eq=False, slots=True)
class Delimited:
    """
    Reads frames that end with certain octets; a L{Reader}.

    @ivar limit: most octets of a frame, its end included.
    """

    _delimiter: bytes
    _limit: int
    _buffer: bytearray = attrs.field(factory=bytearray, init=False)
    _seen: int = attrs.field(default=0, init=False)

    @property
    def held(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def read(self, request: Frame | None = None) -> Frame | None:
        buffer, limit = self._buffer, self._limit
        at = buffer.find(self._delimiter, self._seen, limit)
        if at < 0:
            if len(buffer) >= limit:
                raise Malformed(f"a frame of more than {limit} octets")
            self._seen = max(0, len(buffer) - len(self._delimiter) + 1)
            return None
        size = at + len(self._delimiter)
        frame = Frame(bytes(buffer[:size]))
        del buffer[:size]
        self._seen = 0
        return frame

    def end(self, request: Frame | None = None) -> Frame | None:
        return None

    def prompt(self) -> bytes:
        return b""
