"""Tests for L{portmux.control.reply}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.reply import DONE, Reply, listed, told, word


class ReplyTests(SynchronousTestCase):
    def test_spelled(self) -> None:
        self.assertEqual(DONE.spelled(), "OK\n")
        self.assertEqual(Reply("a", ("b", "c")).spelled(), "OK: a\n\tb\n\tc\n")
        self.assertEqual(Reply("a", (), blank=True).spelled(), "OK: a\n\n")
        self.assertEqual(Reply("a", ("b",), blank=True).spelled(), "OK: a\n\tb\n")

    def test_listed(self) -> None:
        """A line for each; how many there are where not all are shown."""
        rows = [{"thing": "a", "big_enough": True, "size": 2}]
        reply = listed("Things", rows)
        self.assertEqual(
            reply.spelled(), "OK: Things: 1\n\ta = big enough true, size 2\n"
        )
        self.assertEqual(reply.result, rows)
        self.assertEqual(listed("Things", rows, 9).first, "Things: 9, 1 of them follow")
        self.assertEqual(told({"thing": "a"}), "a")

    def test_programs(self) -> None:
        """What they are told nobody spells for people."""

        class Unspeakable:
            def __str__(self) -> str:
                raise AssertionError("nobody reads this")

        thing = Unspeakable()
        self.assertEqual(listed("Things", [{"thing": thing}]).result[0]["thing"], thing)

    def test_word(self) -> None:
        """Nothing that a name says can begin a line."""
        for value, text in [
            (None, "none"),
            ("", "none"),
            (True, "true"),
            (1.5, "1.5"),
            (2.0, "2"),
            ([], "none"),
            (["a", "b"], "a b"),
            ("a\nOK", "a?OK"),
        ]:
            self.assertEqual(word(value), text)
