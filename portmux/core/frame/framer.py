"""
What the multiplexer must know of a protocol of requests and answers.

A L{Framer} cuts streams into frames, and its L{Dialogue} knows which answer
belongs to which request. Frames are passed on unchanged, but for their numbers.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

import attrs


@attrs.define(slots=True)
class Frame:
    """
    One message. Nobody changes it; to enforce that would cost each of them more
    than all else that is done to make it.

    @ivar data: all its octets, as they came.
    @ivar interim: another frame of the same answer follows (HTTP's 1xx).
    @ivar closes: whoever sends it, or answers it, closes the connection then:
        after the answer neither side may be used for another request.
    """

    data: bytes
    interim: bool = False
    closes: bool = False


class Trouble(Enum):
    """Why a request has no answer."""

    UNREACHABLE = auto()
    """No connection to the target could be had."""
    SILENT = auto()
    """The target had it and did not answer in time."""
    BROKEN = auto()
    """The target closed the connection, or sent what is no answer."""


class Reader(Protocol):
    """
    Cuts one direction of one connection into frames.

    Each octet is looked at once, however the stream is cut.
    """

    @property
    def held(self) -> int:
        """Octets taken of which no frame was given yet."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream, which belong to the reader now."""

    def read(self, request: Frame | None = None) -> Frame | None:
        """
        Give the next frame. To be asked until there is none.

        @param request: where answers are read, the one that is answered next,
            and the same one again until its last frame was given; None: nobody
            has asked, or what is asked has numbers, of which any may be next.
        @return: None while there is no whole frame.
        @raise Malformed: what comes next is no frame, or a longer one than is
            allowed; asked again, it says the same.
        """

    def end(self, request: Frame | None = None) -> Frame | None:
        """
        Take the end of the stream, once L{read} gives nothing more.

        @return: the frame that ends with the stream; None when none does, and
            then C{held} octets of a frame that was cut short are lost.
        """

    def prompt(self) -> bytes:
        """
        @return: what must be sent to whoever sends, who else might not go on,
            once; mostly nothing. To be asked when L{read} gives nothing more.
        """


class Dialogue(Protocol):
    """What a protocol says of a request and of its answer."""

    @property
    def numbered(self) -> bool:
        """
        Requests are sent with numbers of ours, and their answers repeat them.

        Then several may be under way on one connection, and a late answer
        can be dropped; else it costs the connection.
        """

    def number(self, frame: Frame) -> int | None:
        """@return: the frame's number, 0 to 65535; None where it has none."""

    def outgoing(self, request: Frame, number: int) -> Frame:
        """
        @param number: 0 to 65535, of no other request on this connection.
        @return: the request as it is sent to the target.
        """

    def incoming(self, request: Frame, answer: Frame) -> Frame:
        """
        @param request: as it came from the client.
        @return: the answer as that client must get it.
        """

    def mismatch(self, sent: Frame, answer: Frame) -> str | None:
        """
        @param sent: the request as L{outgoing} made it.
        @return: why this can not be its answer; None: it can.
        """

    def answered(self, request: Frame) -> bool:
        """@return: whether there will be an answer; not so for broadcasts."""

    def repeatable(self, request: Frame) -> bool:
        """@return: it only reads: to send it a second time changes nothing."""

    def failure(self, request: Frame, trouble: Trouble) -> Frame | None:
        """
        @return: the protocol's own way to say so to the client; None where it
            has none: then the connection is closed.
        """


class Framer(Protocol):
    """A protocol, with its options: an object made from a configuration."""

    @property
    def dialogue(self) -> Dialogue: ...

    def requests(self) -> Reader:
        """@return: for one client's connection."""

    def answers(self) -> Reader:
        """@return: for one connection to a target."""


@attrs.frozen
class Opaque:
    """The dialogue of protocols of which nothing but the frames is known."""

    numbered = False

    def number(self, frame: Frame) -> int | None:
        return None

    def outgoing(self, request: Frame, number: int) -> Frame:
        return request

    def incoming(self, request: Frame, answer: Frame) -> Frame:
        return answer

    def mismatch(self, sent: Frame, answer: Frame) -> str | None:
        return None

    def answered(self, request: Frame) -> bool:
        return True

    def repeatable(self, request: Frame) -> bool:
        return False

    def failure(self, request: Frame, trouble: Trouble) -> Frame | None:
        return None


OPAQUE = Opaque()
