"""Tests for L{portmux.control.lines}."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.lines import LIMIT, Lines
from portmux.errors import Malformed


def read(*pieces: bytes) -> list[str]:
    """@return: the lines; the last one is what was wrong, if anything was."""
    lines, found = Lines(), []
    for piece in pieces:
        lines.feed(piece)
        try:
            while (line := lines.next()) is not None:
                found.append(line)
        except Malformed as wrong:
            return [*found, f"wrong: {wrong}"]
    return found


class LinesTests(SynchronousTestCase):
    def test_ends(self) -> None:
        """LF ends a line; one CR before it is dropped, another one is not."""
        self.assertEqual(read(b"a\nb\r\nc\r\r\n\nd"), ["a", "b", "c\r", ""])

    def test_limit(self) -> None:
        """1024 octets before LF, CR included."""
        line = b"x" * LIMIT
        self.assertEqual(read(line + b"\n"), [line.decode()])
        self.assertEqual(read(line[1:] + b"\r\n"), [line[1:].decode()])
        wrong = "wrong: max line length exceeded"
        self.assertEqual(read(line + b"\r\n"), [wrong])
        self.assertEqual(read(line + b"x"), [wrong])
        self.assertEqual(read(b"a\n" + line, b"x"), ["a", wrong])
        self.assertEqual(read(line), [])

    def test_telnet(self) -> None:
        """What telnet says by itself is dropped, where it is whole."""
        said = b"\xff\xfd\x03\xff\xfb\x18sta\xff\xf1tus\xff\xfe\r\r\n"
        self.assertEqual(read(said), ["status"])
        wrong = "wrong: Unable to decode input as UTF8"
        for bad in (
            b"\xff\n",
            b"\xff\xfd\n",
            b"\xff\xfa\x01\n",
            b"\xff\xff\n",
            b"\xff\xf0\n",
            b"a\xffb\n",
        ):
            self.assertEqual(read(bad), [wrong], bad)

    def test_utf8(self) -> None:
        self.assertEqual(read("ä€\n".encode()), ["ä€"])
        self.assertEqual(len(read(b"ok\n\xe4\nmore\n")), 2)

    def test_unfinished(self) -> None:
        lines = Lines()
        self.assertFalse(lines.unfinished)
        lines.feed(b"a")
        self.assertTrue(lines.unfinished)
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines.begins_with(b"a"))

    @given(st.lists(st.binary(max_size=40), max_size=8), st.data())
    def test_any_cut(self, parts: list[bytes], data: st.DataObject) -> None:
        """However the bytes arrive, the lines are the same."""
        whole = b"\n".join(parts)
        cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=6)))
        edges = [0, *cuts, len(whole)]
        pieces = [whole[a:b] for a, b in pairwise(edges)]
        self.assertEqual(read(*pieces), read(whole))
