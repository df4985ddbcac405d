"""Tests for L{portmux.core.head}."""

from __future__ import annotations

import gc
import re
import weakref

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.head import (
    Head,
    Matcher,
    Opens,
    Reason,
    Verdict,
    judge,
    printable,
)
from portmux.core.match.always import Always
from portmux.core.match.prefix import Prefix
from portmux.errors import Malformed

CLIENT, HERE = Host("192.0.2.7", 40000), Host("192.0.2.1", 443)


def head(data: bytes = b"") -> Head:
    return Head(bytearray(data), CLIENT, HERE)


@attrs.define(eq=False)
class Line:
    """A parser that wants one line without a NUL, and counts how often it is asked."""

    calls: list[int] = attrs.field(factory=list)

    def read(self, data: bytearray) -> bytes | None:
        self.calls.append(len(data))
        if 0 in data:
            raise Malformed("a NUL")
        end = data.find(b"\n")
        return bytes(data[:end]) if end >= 0 else None


@attrs.frozen
class WantsLine:
    """Matches what L{Line} can read."""

    def match(self, head: Head) -> Verdict:
        return Verdict.MORE if head.parse(Line) is None else Verdict.YES

    def why(self, head: Head) -> Reason:
        return Reason("a line")


class VerdictTests(SynchronousTestCase):
    def test_of_a_fact(self) -> None:
        """What is known is never MORE."""
        self.assertIs(Verdict.of(True), Verdict.YES)
        self.assertIs(Verdict.of(False), Verdict.NO)


class ParseTests(SynchronousTestCase):
    """L{Head.parse} runs one parser for all who name it."""

    def setUp(self) -> None:
        self.made: list[Line] = []

    def parser(self) -> Line:
        self.made.append(Line())
        return self.made[-1]

    def test_matchers_share_one_parse(self) -> None:
        """However many ask, one parser looks at the bytes of each length once."""
        this = head(b"GET")
        for _ in range(3):
            self.assertIsNone(this.parse(self.parser))
        this.data += b" /\n"
        for _ in range(3):
            self.assertEqual(this.parse(self.parser), b"GET /")
        self.assertEqual([line.calls for line in self.made], [[3, 6]])

    def test_a_result_is_final(self) -> None:
        """Later bytes belong to somebody else: the parser is not asked again."""
        this = head(b"a\n")
        first = this.parse(self.parser)
        this.data += b"b\n\0"
        self.assertIs(this.parse(self.parser), first)
        self.assertEqual(self.made[0].calls, [2])

    def test_a_fault_is_final(self) -> None:
        """Each who asks is told the same, the parser is asked once."""
        this = head(b"\0")
        texts = []
        for _ in range(3):
            texts.append(str(self.assertRaises(Malformed, this.parse, self.parser)))
            this.data += b"\n"
        self.assertEqual(texts, ["a NUL"] * 3)
        self.assertEqual(self.made[0].calls, [1])

    def test_a_fault_keeps_no_bytes_alive(self) -> None:
        """A head is gone with its connection, without the garbage collector."""

        def judged() -> weakref.ref[Head]:
            this = head(b"\0")
            for _ in range(2):
                self.assertIs(judge(WantsLine(), this), Verdict.NO)
            return weakref.ref(this)

        gc.collect()
        gc.disable()
        try:
            self.assertIsNone(judged()())
        finally:
            gc.enable()

    def test_parsers_do_not_meet(self) -> None:
        """Two kinds of parser on one connection have a place each."""
        this = head(b"a\n")
        self.assertEqual(this.parse(self.parser), b"a")
        self.assertEqual(this.parse(Line), b"a")
        self.assertEqual(len(self.made), 1)

    def test_forget(self) -> None:
        """After it nothing of an earlier connection can be read."""
        this = head(b"a\n")
        this.parse(self.parser)
        this.recall("key", lambda: "old")
        this.forget()
        this.data[:] = b"b\n"
        self.assertEqual(this.parse(self.parser), b"b")
        self.assertEqual(this.recall("key", lambda: "new"), "new")

    def test_recall_keeps_what_was_made_first(self) -> None:
        """Also where that is nothing at all."""
        this = head()
        self.assertIsNone(this.recall("key", lambda: None))
        self.assertIsNone(this.recall("key", lambda: None))
        self.assertEqual(this.recall("other", lambda: 1), 1)


class JudgeTests(SynchronousTestCase):
    def test_malformed_means_no(self) -> None:
        """A matcher may leave it to the parser to say so."""
        self.assertIs(judge(WantsLine(), head(b"\0")), Verdict.NO)
        self.assertIs(judge(WantsLine(), head(b"\n")), Verdict.YES)

    def test_opens_is_told_by_its_method(self) -> None:
        """Who needs no byte does not say which can come first."""
        needs: Matcher = Prefix((b"GET",))
        does_not: Matcher = Always()
        self.assertIsInstance(needs, Opens)
        self.assertNotIsInstance(does_not, Opens)


class PrintableTests(SynchronousTestCase):
    """L{printable} stands between peers and every log."""

    def test_visible_text_stays(self) -> None:
        text = "git.example.org/~a?b=c&d=[1]{2}'x`|<>!"
        self.assertEqual(printable(text), text)

    def test_what_could_forge_is_escaped(self) -> None:
        """Blanks, quotes, line ends, and the escape itself."""
        self.assertEqual(printable(b'a b"c\\\r\n'), r"a\x20b\x22c\x5c\x0d\x0a")

    def test_text_is_shown_by_its_octets(self) -> None:
        """A file name that is not UTF-8 is shown by those it has on disk."""
        self.assertEqual(printable("\u00e9"), r"\xc3\xa9")
        self.assertEqual(printable("\udcff"), r"\xff")

    def test_any_text_can_be_shown(self) -> None:
        """Half a surrogate pair, as JSON can write it, is no reason to fail."""
        self.assertEqual(printable("\ud800"), r"\xed\xa0\x80")

    def test_long_input_is_cut(self) -> None:
        """The cut can be seen; what just fits is whole."""
        self.assertEqual(printable(b"abcd", limit=4), "abcd")
        self.assertEqual(printable(b"abcde", limit=4), "abcd...")
        self.assertEqual(len(printable(bytes(9999))), 256 * 4 + 3)

    @given(st.binary() | st.text(st.characters()))
    def test_nothing_gets_through(self, noise: bytes | str) -> None:
        """Whatever a peer sends is one word of ASCII without quotes."""
        self.assertIsNotNone(re.fullmatch(r"[!#-~]*", printable(noise)))

    @given(st.binary(max_size=256), st.binary(max_size=256))
    def test_it_can_be_undone(self, one: bytes, other: bytes) -> None:
        """Different octets look different: a log shows what was sent."""
        self.assertEqual(printable(one) == printable(other), one == other)
