"""Tests for L{portmux.core.regex.syntax}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.regex.nodes import (
    ALL,
    Anchor,
    Choice,
    Octet,
    Repeat,
    Sequence,
    octets,
)
from portmux.core.regex.syntax import MOST_DEPTH, parse


def one(members: bytes) -> Octet:
    """@return: one of these octets."""
    return Octet(octets(members))


class ParseTests(SynchronousTestCase):
    def test_characters(self) -> None:
        self.assertEqual(parse("ab"), Sequence((one(b"a"), one(b"b"))))
        self.assertEqual(parse(""), Sequence())

    def test_precedence(self) -> None:
        """A repeat binds one character, a bar binds nothing."""
        self.assertEqual(
            parse("ab*|c"),
            Choice((Sequence((one(b"a"), Repeat(one(b"b"), 0, None))), one(b"c"))),
        )

    def test_text_is_utf_8(self) -> None:
        """A character beyond ASCII is a group of octets, also for a repeat."""
        both = Sequence((one(b"\xc3"), one(b"\xa9")))
        self.assertEqual(parse("é+"), Repeat(both, 1, None))

    def test_escapes(self) -> None:
        for text, members in (
            (r"\x00", b"\0"),
            (r"\xfF", b"\xff"),
            (r"\0", b"\0"),
            (r"\n", b"\n"),
            (r"\r", b"\r"),
            (r"\t", b"\t"),
            (r"\.", b"."),
            (r"\\", b"\\"),
            (r"\d", b"0123456789"),
            (r"\s", b" \t\n\r\f\v"),
        ):
            self.assertEqual(parse(text), one(members), text)
            self.assertEqual(parse(f"[{text}]"), one(members), text)
        self.assertEqual(parse(r"[\w\W]"), Octet(ALL))
        word = b"0123456789abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        self.assertEqual(parse(r"\w"), one(word))

    def test_classes(self) -> None:
        for text, members in (
            ("[abc]", b"abc"),
            ("[a-c-]", b"abc-"),
            ("[a-a]", b"a"),
            ("[]a]", b"]a"),
            ("[a^]", b"a^"),
            (r"[\x61-c]", b"abc"),
            (r"[+--]", b"+,-"),
            ("[$.*]", b"$.*"),
        ):
            self.assertEqual(parse(text), one(members), text)
        self.assertEqual(parse("[a-]b"), Sequence((one(b"a-"), one(b"b"))))
        self.assertEqual(parse("[^]a]"), Octet(ALL ^ octets(b"]a")))
        self.assertEqual(parse(r"[^\x00-\xff]"), Octet(0))

    def test_dot(self) -> None:
        """Any octet but a line feed, with C{s} any."""
        self.assertEqual(parse("."), Octet(ALL ^ octets(b"\n")))
        self.assertEqual(parse("(?s)."), Octet(ALL))

    def test_case(self) -> None:
        """A flag holds for its group, or for all; a class is folded, then negated."""
        self.assertEqual(parse("(?i:a)b"), Sequence((one(b"aA"), one(b"b"))))
        self.assertEqual(parse("(?i)(a)"), one(b"aA"))
        self.assertEqual(parse("(?is)."), Octet(ALL))
        self.assertEqual(parse("[^a]", ignore_case=True), Octet(ALL ^ octets(b"aA")))

    def test_groups(self) -> None:
        """What is in a group stands where the group stands."""
        for group in ("(b)", "(?:b)"):
            self.assertEqual(
                parse(f"aa{group}c"),
                Sequence((one(b"a"), one(b"a"), one(b"b"), one(b"c"))),
            )
        self.assertEqual(
            parse("aa(?i:b)c"),
            Sequence((one(b"a"), one(b"a"), one(b"bB"), one(b"c"))),
        )

    def test_repeats(self) -> None:
        for text, bounds in (
            ("a*", (0, None)),
            ("a+", (1, None)),
            ("a?", (0, 1)),
            ("a{3}", (3, 3)),
            ("a{3,}", (3, None)),
            ("a{3,4}", (3, 4)),
            ("a{,4}", (0, 4)),
            ("a*?", (0, None)),
            ("a{3}?", (3, 3)),
        ):
            self.assertEqual(parse(text), Repeat(one(b"a"), *bounds), text)

    def test_braces_that_are_characters(self) -> None:
        for text in ("{", "a{", "a{}", "a{b}", "a{1", "{x}", "}"):
            expected = tuple(one(octet.encode()) for octet in text)
            node = parse(text)
            found = node.parts if isinstance(node, Sequence) else (node,)
            self.assertEqual(found, expected, text)

    def test_anchors(self) -> None:
        self.assertEqual(parse("^"), Anchor.START)
        self.assertEqual(parse(r"\A"), Anchor.START)
        self.assertEqual(parse("$"), Anchor.END)
        self.assertEqual(parse(r"\Aa"), Sequence((Anchor.START, one(b"a"))))
        self.assertEqual(parse(r"ab\Z"), Sequence((one(b"a"), one(b"b"), Anchor.END)))
        self.assertEqual(parse(r"\Z"), Anchor.END)


class FaultTests(SynchronousTestCase):
    def check(self, pattern: str, what: str, at: int) -> None:
        fault = str(self.assertRaises(ValueError, parse, pattern))
        self.assertIn(what, fault, pattern)
        self.assertTrue(fault.endswith(f", at character {at}"), fault)

    def test_what_cannot_be_linear(self) -> None:
        linear = "is not supported: matching must be linear"
        for pattern in ("a(?=b)", "a(?!b)", "a(?<=b)", "a(?<!b)"):
            self.check(pattern, f"look-around {linear}", 2)
        for pattern in (r"(a)\1", r"(a)(?P=a)", "(a)(?(1)b)"):
            self.check(pattern, "back-references are not supported: matching must", 4)
        self.check(r"a\b", rf"\b {linear}", 2)
        self.check(r"a[\b]", rf"\b {linear}", 3)
        self.check("a++", "possessive repeats are not", 3)

    def test_what_is_not_supported(self) -> None:
        self.check("a(?P<n>b)", "(?:...), (?i:...), (?s:...), and (?i), (?s)", 2)
        self.check("a(?i)b", "at the start", 2)
        self.check("(?m)a", "this group is not supported", 1)
        self.check(r"\q", r"the escape \q is not known, \d \w", 1)
        self.check(r"\é", "is not known", 1)
        self.check(r"\012", r"octal is not supported, \xHH is", 1)
        self.check("[é]", "beyond ASCII is not supported in a class", 2)
        self.check("[[:alpha:]]", "POSIX classes are not supported", 2)
        self.check("\ud800", r"\xHH names an octet", 1)

    def test_what_is_wrong(self) -> None:
        self.check("a(b", "there is no ')' for this '('", 2)
        self.check("ab)", "there is no '(' for this ')'", 3)
        self.check("a[b", "there is no ']' for this '['", 2)
        self.check("a[]", "there is no ']' for this '['", 2)
        self.check("a[b-", "there is no ']' for this '['", 2)
        self.check("*a", "there is nothing to repeat", 1)
        self.check("a|+", "there is nothing to repeat", 3)
        self.check("a**", "a repeat cannot be repeated, a group can", 3)
        self.check("a{2}{3}", "a repeat cannot be repeated", 5)
        self.check("^*", "a place cannot be repeated", 1)
        self.check("a{3,2}", "{3,2} ends before it starts", 2)
        self.check("[b-a]", "the range ends before it starts", 2)
        self.check(r"[\d-z]", "a range has one character at each end", 2)
        self.check("a\\", "the escape \\ is not known", 2)
        self.check(r"\x1", "two hexadecimal digits are needed", 1)
        self.check("(" * 99, f"{MOST_DEPTH} groups within each other", MOST_DEPTH + 1)

    @given(st.text(r"ab01é()[]{}|*+?.^$\-,:=!<Pisxwd" + "\n"))
    def test_any_text(self, pattern: str) -> None:
        """It is read, or there is a fault that says where; nothing else happens."""
        try:
            parse(pattern)
        except ValueError as fault:
            self.assertIn(", at character ", str(fault))
