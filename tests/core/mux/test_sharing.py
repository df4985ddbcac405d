"""Tests for L{portmux.core.mux.sharing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame
from portmux.core.mux.asker import Request, Stage
from portmux.core.mux.sharing import Sharing
from tests.core.mux.test_asker import asker


def request(key: str | None = "k") -> Request:
    return Request(asker(), Frame(b"a\n"), 1, 0.0, key=key)


class SharingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sharing = Sharing()
        self.first = request()
        self.assertFalse(self.sharing.join(self.first))

    def test_the_same_key(self) -> None:
        other = request()
        self.assertTrue(self.sharing.join(other))
        self.assertEqual(self.first.sharers, [other])

    def test_another_key_or_none(self) -> None:
        self.assertFalse(self.sharing.join(request("other")))
        self.assertFalse(self.sharing.join(request(None)))
        self.assertFalse(self.sharing.join(request(None)))

    def test_not_once_it_is_over(self) -> None:
        self.sharing.over(self.first)
        self.assertFalse(self.sharing.join(request()))

    def test_not_with_what_was_sent_before_a_change(self) -> None:
        self.first.stage = Stage.SENT
        waiting = request("waits")
        self.sharing.join(waiting)
        self.sharing.changed()
        self.assertFalse(self.sharing.join(request()))
        self.assertTrue(self.sharing.join(request("waits")))

    def test_not_behind_a_write_of_its_own(self) -> None:
        """It has to see what that changes; behind its own reads it may share."""
        for place in ("line", "under_way"):
            reader, writer = request(), request()
            for one, reads in ((reader, True), (writer, False)):
                earlier = request(None)
                earlier.reads = reads
                if place == "line":
                    one.asker.line.append(earlier)
                else:
                    one.asker.under_way.add(earlier)
            self.assertTrue(self.sharing.join(reader))
            self.assertFalse(self.sharing.join(writer))
            self.assertNotIn(writer, self.first.sharers)

    def test_an_heir_takes_the_others_along(self) -> None:
        gone, second, third = request(), request(), request()
        for each in (gone, second, third):
            self.sharing.join(each)
        gone.asker.gone = True
        self.assertIs(self.sharing.heir(self.first), second)
        self.assertEqual(second.sharers, [third])
        late = request()
        self.assertTrue(self.sharing.join(late))
        self.assertEqual(second.sharers, [third, late])

    def test_no_heir(self) -> None:
        self.assertIsNone(self.sharing.heir(self.first))
