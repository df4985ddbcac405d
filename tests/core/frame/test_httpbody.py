"""Tests for L{portmux.core.frame.httpbody}."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.httpbody import LONGEST_LINE, LONGEST_TRAILER, Chunks
from portmux.errors import Malformed
from portmux.testing import noise, steps

HEAD = b"PUT / HTTP/1.1\r\n\r\n"

BODIES = [
    b"0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"A;name=value;other\r\n0123456789\r\n0\r\nTrailer: x\r\nMore:\r\n\r\n",
    b'00000005  ;x="y"\r\n\r\n\r\n\n\r\n000\r\n\r\n',
]


def end(data: bytes, strict: bool = True, cuts: Iterable[int] = ()) -> int | str | None:
    """@return: where the body ends, or what is wrong."""
    chunks, buffer = Chunks(len(HEAD), strict), bytearray(HEAD)
    for stop in (*sorted(cut for cut in cuts if cut < len(data)), len(data)):
        buffer += data[len(buffer) - len(HEAD) : stop]
        try:
            if chunks.pass_over(buffer):
                return chunks.at - len(HEAD)
        except Malformed as fault:
            return str(fault)
    return None


class ChunksTests(SynchronousTestCase):
    def at_every_cut(self, data: bytes, strict: bool = True) -> int | str | None:
        whole = end(data, strict)
        for cut in range(1, len(data)):
            self.assertEqual(end(data, strict, (cut,)), whole, (data, cut))
        self.assertEqual(end(data, strict, range(1, len(data))), whole, data)
        return whole

    def test_bodies(self) -> None:
        """Extensions and trailers included; what follows is not touched."""
        for body in BODIES:
            for strict in (True, False):
                self.assertEqual(self.at_every_cut(body, strict), len(body), body)
                more = body + b"GET / HTTP/1.1\r\n\r\n"
                self.assertEqual(self.at_every_cut(more, strict), len(body), body)

    def test_not_whole(self) -> None:
        for body in BODIES:
            self.assertIsNone(self.at_every_cut(body[:-1]), body)

    def test_wrong(self) -> None:
        size = "a chunk that does not tell its size"
        for data, text in (
            (b"\r\n", size),
            (b"x\r\n", size),
            (b"-5\r\n", size),
            (b"0x5\r\n", size),
            (b"5\n", size),
            (b"5 5\r\n", size),
            (b"5;\0\r\n", size),
            (b"1234567890123456\r\n", size),
            (b"5\r\nhello!\r\n", "a chunk that is longer than it says"),
            (b"5\r\nhell\r\n0\r\n", "a chunk that is longer than it says"),
            (b"0\r\nno field\r\n\r\n", "a line of the trailer that is no field"),
        ):
            self.assertEqual(self.at_every_cut(data), text, data)

    def test_lines_of_the_trailer(self) -> None:
        """In requests they end with CR LF, as those of the head."""
        text = "a line of the trailer that is no field"
        for body in (b"0\r\n\n", b"0\r\nA: b\n\n", b"0\r\nA: b\n\r\n"):
            self.assertEqual(self.at_every_cut(body), text)
            self.assertEqual(self.at_every_cut(body, strict=False), len(body))

    def test_limits(self) -> None:
        line = b"0;" + b"x" * (LONGEST_LINE - 4) + b"\r\n"
        cuts = (1, 99, LONGEST_LINE - 1, LONGEST_LINE)
        self.assertEqual(end(line + b"\r\n", cuts=cuts), LONGEST_LINE + 2)
        text = f"a line of a chunk of more than {LONGEST_LINE} octets"
        self.assertEqual(end(line[:-2] + b"x\r\n", cuts=cuts), text)
        trailer = b"A:" + b"x" * (LONGEST_TRAILER - 6) + b"\r\n\r\n"
        cuts = (1, 98, 99, LONGEST_TRAILER + 2)
        self.assertEqual(end(b"0\r\n" + trailer, cuts=cuts), LONGEST_TRAILER + 3)
        text = f"a trailer of more than {LONGEST_TRAILER} octets"
        self.assertEqual(end(b"0\r\nB" + trailer, cuts=cuts), text)

    @given(noise(BODIES), st.booleans(), st.sets(st.integers(1, 200)))
    def test_any_bytes(self, data: bytes, strict: bool, cuts: set[int]) -> None:
        self.assertEqual(end(data, strict, cuts), end(data, strict))

    def test_linear(self) -> None:
        def work(size: int) -> int:
            data = b"1\r\nx\r\n" * size
            return steps(lambda: end(data, cuts=range(1, len(data))))

        self.assertLess(work(400), 5 * work(100))
