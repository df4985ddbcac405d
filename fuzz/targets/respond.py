"""An HTTP/1 connection that the respond action answers."""

from __future__ import annotations

from fuzz.material import Material, require, seeds
from portmux.core.canned import TEXT, Conversation, Next, Say
from tests.openings import OPENINGS, named

SEEDS = seeds(3, [OPENINGS[name] for name in sorted(named("http"))])
SEEDS += seeds(
    3,
    (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        b"Expect: 100-continue\r\n\r\nabc",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"SSH-2.0-x\r\n",
    ),
)
SEEDS.append(SEEDS[0] + b"\0\1" * 3)

_NOW = 1e9

_STATUS = (200, 204, 205, 404)

_BODY = b"0123456789"


def check(data: bytes) -> None:
    material = Material(data)
    status, late = _STATUS[material.number(len(_STATUS))], material.number(2)
    pieces = material.pieces()
    said = _talk(pieces, status, bool(late))
    require(said == _talk([b"".join(pieces)], status, bool(late)), "a cut", said)


def _talk(pieces: list[bytes], status: int, late: bool) -> tuple[bytes, bool]:
    """@return: all that is answered, and whether the connection is to end."""
    conversation = Conversation()
    answers = bytearray()
    room = sum(map(len, pieces)) + 2
    over = False
    for piece in pieces:
        if not piece:
            continue
        conversation.receive(piece)
        over = _answer(conversation, status, answers, room)
        if over:
            return bytes(answers), True
    if late:
        step = conversation.give_up(_NOW)
        answers += step.data if isinstance(step, Say) else b""
        return bytes(answers), True
    conversation.finish()
    over = _answer(conversation, status, answers, room)
    return bytes(answers), over


def _answer(
    conversation: Conversation, status: int, answers: bytearray, room: int
) -> bool:
    """@return: the connection is over."""
    for _ in range(room):
        step = conversation.next(_NOW)
        if step is None or step is Next.OVER:
            return step is Next.OVER
        if isinstance(step, Say):
            require(step.data.startswith(b"HTTP/1.1 "), "no answer", step.data)
            answers += step.data
            continue
        answers += conversation.begin(status, (TEXT,), _length(status), _NOW)
        while conversation.remaining:
            answers += conversation.body(_BODY[: min(3, conversation.remaining)])
    raise AssertionError(f"more than {room} steps")


def _length(status: int) -> int:
    return 0 if status in (204, 205) else len(_BODY)
