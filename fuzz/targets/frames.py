"""Requests and answers of every protocol that many clients can share."""

from __future__ import annotations

from typing import Final

import h11

from fuzz.material import Material, require, seeds
from portmux.core.frame.delimiter import Delimiter
from portmux.core.frame.framer import Frame, Framer, Reader
from portmux.core.frame.http import Http
from portmux.core.frame.iso8583 import Iso8583
from portmux.core.frame.length_prefix import LengthPrefix
from portmux.core.frame.line import Line
from portmux.core.frame.modbus import Modbus
from portmux.core.frame.modbus_rtu import ModbusRtu
from portmux.core.frame.mpu import Mpu
from portmux.core.option import Octets
from portmux.errors import Malformed

LIMIT: Final = Octets(200)
"""Octets of a frame, so that inputs reach it."""

FRAMERS: Final[tuple[Framer, ...]] = (
    Http(limit=LIMIT, answer_limit=LIMIT),
    ModbusRtu(),
    Modbus(),
    Mpu(),
    Iso8583(),
    LengthPrefix(width=2, offset=1, counts="length", limit=LIMIT),
    Line(limit=LIMIT),
    Delimiter(b"aab", limit=LIMIT),
)

ASKED: Final = (Frame(b"GET / HTTP/1.1\r\n\r\n"), Frame(b"HEAD / HTTP/1.1\r\n\r\n"))

SEEDS = [
    seed[:-4] + bytes((0, at)) + seed[-2:]
    for at, streams in enumerate(
        (
            (
                b"PUT / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
                b"abc",
                b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                b"5;x=y\r\nhello\r\n0\r\nTrailer: z\r\n\r\nGET / HTTP/1.0\r\n\r\n",
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
                b"HTTP/1.1 200 OK\r\n\r\nall of it",
            ),
            (bytes.fromhex("1103006b0003768711100001000204000a0102c6f0"),),
            (bytes.fromhex("00070000000611030064000200080000000311830b"),),
            (b"0003abc0000",),
            (b"\0\3abc\0\0",),
            (b"T\0\4abT\0\2",),
            (b"one\ntwo\n",),
            (b"aaabaab",),
        )
    )
    for seed in seeds(3, streams)
]


def check(data: bytes) -> None:
    material = Material(data)
    answers = material.number(len(ASKED) + 1)
    framer = FRAMERS[material.number(len(FRAMERS))]
    pieces = material.pieces()
    request = ASKED[answers - 1] if answers else None
    make = framer.answers if answers else framer.requests
    found, faulty, reader = _read(make(), pieces, request)
    whole = _read(make(), [b"".join(pieces)], request)
    require((found, faulty) == whole[:2], "a cut makes a difference", found, whole)
    octets = b"".join(frame.data for frame in found)
    if not isinstance(framer, Http):
        require(b"".join(pieces).startswith(octets), "octets are others", octets)
        require(faulty or len(octets) + reader.held == sum(map(len, pieces)), "lost")
    elif not answers:
        for frame in found:
            _compare(frame.data)
    _ask(framer, found)


def _read(
    reader: Reader, pieces: list[bytes], request: Frame | None
) -> tuple[list[Frame], bool, Reader]:
    """@return: the frames, whether a fault is behind them, and who has read them."""
    found: list[Frame] = []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (frame := reader.read(request)) is not None:
                found.append(frame)
        except Malformed:
            return found, True, reader
        reader.prompt()
    if request is not None and (last := reader.end(request)) is not None:
        found.append(last)
    return found, False, reader


def _compare(data: bytes) -> None:
    """What is one request must be one for others, too, or none."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    try:
        while not isinstance(event := server.next_event(), h11.EndOfMessage):
            require(event is not h11.NEED_DATA, "h11 waits for more", data)
    except h11.RemoteProtocolError:
        return
    require(not server.trailing_data[0], "h11 reads less", data)


def _ask(framer: Framer, found: list[Frame]) -> None:
    """Whatever is a frame can be asked about."""
    dialogue = framer.dialogue
    for frame in found:
        sent = dialogue.outgoing(frame, 0xABCD)
        fits = dialogue.mismatch(sent, sent) is None
        require(fits, "a request does not fit itself", frame)
        require(dialogue.incoming(frame, sent).data == frame.data, "another", frame)
        dialogue.answered(frame)
        dialogue.repeatable(frame)
