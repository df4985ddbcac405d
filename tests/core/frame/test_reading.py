"""Tests for L{portmux.core.frame.reading}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame
from portmux.core.frame.reading import Delimited, Measured
from portmux.errors import Malformed
from tests.core.frame.reading import at_every_cut, fault, read, work


def measure(data: bytes | bytearray) -> int | None:
    """The second octet is the length; the first one is 1."""
    if data[0] != 1:
        raise Malformed("no 1")
    return data[1] if len(data) > 1 else None


def measured() -> Measured:
    return Measured(measure)


def delimited(limit: int = 1 << 20) -> Delimited:
    return Delimited(b"--", limit)


class MeasuredTests(SynchronousTestCase):
    def test_frames(self) -> None:
        stream = [b"\x01\x03x", b"\x01\x02", b"\x01\x04yz"]
        self.assertEqual(read(measured, b"".join(stream)), stream)

    def test_begun(self) -> None:
        """What is no whole frame yet is held."""
        self.assertEqual(
            at_every_cut(measured, b"\x01\x02\x01\x04y"),
            ([Frame(b"\x01\x02")], None, 3),
        )

    def test_malformed_for_good(self) -> None:
        """Frames before it are given; asked again, it says the same."""
        reader = measured()
        reader.feed(b"\x01\x02\x02")
        self.assertEqual(reader.read(), Frame(b"\x01\x02"))
        for _ in range(2):
            error = self.assertRaises(Malformed, reader.read)
            self.assertEqual(str(error), "no 1")
            reader.feed(b"\x01\x02")

    def test_end(self) -> None:
        """Half a frame is none."""
        reader = measured()
        reader.feed(b"\x01\x03")
        self.assertIsNone(reader.read())
        self.assertIsNone(reader.end())
        self.assertEqual((reader.held, reader.prompt()), (2, b""))

    def test_asks_once_for_a_length(self) -> None:
        """However many pieces a frame comes in."""
        asked: list[int] = []

        def counting(data: bytes | bytearray) -> int | None:
            asked.append(len(data))
            return 9

        reader = Measured(counting)
        for _ in range(9):
            reader.feed(b".")
            reader.read()
        self.assertEqual((asked, reader.held), ([1], 0))


class DelimitedTests(SynchronousTestCase):
    def test_frames(self) -> None:
        stream = [b"a--", b"--", b"b-c--"]
        self.assertEqual(read(delimited, b"".join(stream)), stream)

    def test_limit(self) -> None:
        """Known as soon as the limit is reached without an end."""
        self.assertEqual(read(lambda: delimited(4), b"ab--"), [b"ab--"])
        text = "a frame of more than 4 octets"
        for data in (b"abc-", b"abc--", b"abcd"):
            self.assertEqual(fault(lambda: delimited(4), data), text)
        self.assertIsNone(fault(lambda: delimited(4), b"abc"))

    def test_end(self) -> None:
        reader = delimited()
        reader.feed(b"a-")
        self.assertIsNone(reader.read())
        self.assertIsNone(reader.end())
        self.assertEqual((reader.held, reader.prompt()), (2, b""))

    def test_linear(self) -> None:
        """A frame of many pieces is searched once."""
        reader = delimited()
        reader._buffer = buffer = Searched()
        for _ in range(1000):
            reader.feed(b".")
            reader.read()
        self.assertLess(buffer.octets, 3000)
        few, many = (work(delimited, b"." * size) for size in (1000, 4000))
        self.assertLess(many, 5 * few)


class Searched(bytearray):
    """@ivar octets: searched so far."""

    octets = 0

    def find(self, what: object, start: object = 0, end: object = None) -> int:
        assert isinstance(start, int)
        self.octets += len(self) - start
        return super().find(b"--", start)
