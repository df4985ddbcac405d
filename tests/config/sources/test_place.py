"""Tests of indices and places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.sources.place import Places, Unreadable
from portmux.config.tree import Origin


class PlacesTests(SynchronousTestCase):
    def test_lines_and_columns(self) -> None:
        """Both are counted from 1; the end has a place too."""
        places = Places("f", "ab\n\nc")
        for index, line, column in [
            (0, 1, 1),
            (2, 1, 3),
            (3, 2, 1),
            (4, 3, 1),
            (5, 3, 2),
        ]:
            self.assertEqual(places.at(index), Origin("f", line, column))

    @given(st.text(st.sampled_from("a\n")))
    def test_there_and_back(self, text: str) -> None:
        places = Places("f", text)
        for index in range(len(text) + 1):
            origin = places.at(index)
            self.assertEqual(places.index(origin.line, origin.column), index)

    def test_unreadable(self) -> None:
        fault = Unreadable(3, "is odd")
        self.assertEqual((fault.index, str(fault)), (3, "is odd"))
