"""Tests for L{portmux.core.frame.line}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import OPAQUE
from portmux.core.frame.line import Line
from portmux.core.option import Octets
from tests.core.frame.reading import both, fault, frames, read


class LineTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Each keeps its end; what follows is the next one."""
        both(Line(), [b"one\n", b"\n", b"\r\n", b"two\r\n", b"\0\xff\n"])

    def test_limit(self) -> None:
        """The end counts."""
        requests = Line(limit=Octets(4)).requests
        self.assertEqual(read(requests, b"abc\n"), [b"abc\n"])
        self.assertEqual(fault(requests, b"abcd"), "a frame of more than 4 octets")
        self.assertEqual(fault(requests, b"abcd\n"), "a frame of more than 4 octets")

    def test_knows_nothing_more(self) -> None:
        self.assertIs(Line().dialogue, OPAQUE)

    @given(st.binary(max_size=99), st.sets(st.integers(1, 98)))
    def test_any_bytes(self, data: bytes, cuts: set[int]) -> None:
        """Nothing is lost or added, whatever comes."""
        found, wrong, held = frames(Line().requests, data, cuts)
        size = sum(len(frame.data) for frame in found) + held
        self.assertEqual((wrong, size), (None, len(data)))
        self.assertTrue(data.startswith(b"".join(frame.data for frame in found)))
