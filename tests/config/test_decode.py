"""Tests of the walker: values by annotations, and every fault at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.decode import FAULTY, Decoder
from portmux.config.faults import Faults
from portmux.config.sources import json, yaml
from portmux.config.tree import Node, Origin, Path, Scalar, Style
from portmux.config.values import Name
from portmux.core.address import Address, Host
from portmux.core.head import Matcher
from portmux.core.match.all_of import All
from portmux.core.match.always import Always
from portmux.core.match.any_of import AnyOf
from portmux.core.match.negation import Not
from portmux.core.match.prefix import Prefix
from portmux.core.option import Octets, Seconds, at_least, option
from portmux.core.plan import Action
from tests.config.kinds import KINDS, Close, Connect, Forward, Respond, told


@attrs.frozen
class Pair:
    """Two values that have an order."""

    low: int = option("", default=0)
    high: int = option("", default=10)

    @staticmethod
    def conflicts(given: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
        match given:
            case {"low": low, "high": high} if low > high:
                yield ("low",), "is above high"


@attrs.frozen
class Named:
    """Stands in lists; a file may have another key."""

    unique: ClassVar[str] = "name"
    elsewhere: ClassVar[tuple[str, ...]] = ("other",)

    name: str = option("")
    size: int = option("", default=1, check=at_least(1))


@attrs.frozen
class Strict:
    """Its constructor refuses."""

    text: str = option("", value=True)

    def __attrs_post_init__(self) -> None:
        if self.text == "bad":
            raise ValueError("bad is not allowed, good is")


@attrs.frozen
class Verb:
    """Has an action beside its own keys."""

    limit: int = option("", default=0)
    action: Action = option("", inline=True)


@attrs.frozen
class Perhaps:
    """May have an action beside its own keys."""

    limit: int = option("", default=0)
    action: Action | None = option("", inline=True, default=None)


class DecodeTestCase(SynchronousTestCase):
    """Decodes one value from YAML, or from JSON."""

    def node(self, text: str, source: Any = yaml) -> Node:
        if not text:  # an empty file is a mapping, an empty value is not
            return Scalar("", Origin("f", 1, 1))
        faults = Faults()
        node: Node | None = source.parse("f", text, faults)
        faults.check()
        assert node is not None
        return node

    def good(self, kind: Any, text: str, source: Any = yaml) -> Any:
        faults = Faults()
        value = Decoder(KINDS, faults).decode(kind, self.node(text, source))
        self.assertEqual(told(faults), [])
        return value

    def bad(self, kind: Any, text: str, source: Any = yaml) -> list[str]:
        faults = Faults()
        value = Decoder(KINDS, faults).decode(kind, self.node(text, source), ("x",))
        self.assertIs(value, FAULTY)
        return told(faults)


class ScalarTests(DecodeTestCase):
    def test_what_it_looks_like(self) -> None:
        """The option says what a scalar is, not YAML's guesses."""
        for kind, text, value in [
            (str, "on", "on"),
            (str, "10:30", "10:30"),
            (str, "0600", "0600"),
            (str, "true", "true"),
            (bytes, "001122", b"001122"),
            (int, "'10'", 10),
            (float, "1", 1.0),
            (bool, "true", True),
            (Seconds, "3", 3.0),
            (Seconds, '"3s"', 3.0),
            (Octets, "16KiB", 16384),
            (Address, '"[::1]:22"', Host("::1", 22)),
        ]:
            self.assertEqual(self.good(kind, text), value, text)

    def test_none(self) -> None:
        """In every spelling, where it is allowed; an empty value is a slip."""
        for text in ("none", "'none'", "~", "null"):
            self.assertIsNone(self.good(Seconds | None, text), text)
            self.assertIsNone(self.good(Action | None, text), text)
        for kind in (Seconds | None, Seconds, str, bytes):
            (fault,) = self.bad(kind, "")
            self.assertIn("f:1:1: x: is empty", fault)
        (fault,) = self.bad(Seconds, "none")
        self.assertIn('"none" is not a duration', fault)

    def test_none_is_offered(self) -> None:
        (fault,) = self.bad(int | None, "[]")
        self.assertEqual(
            fault, "f:1:1: x: is a list, a whole number, or none is allowed"
        )

    def test_numbers_of_json_are_no_text(self) -> None:
        self.assertEqual(self.good(int, "10", json), 10)
        self.assertEqual(self.good(Seconds, "1.5", json), 1.5)
        self.assertIsNone(self.good(str | None, "null", json))
        for kind, text in [(str, "10"), (bytes, "0"), (Name, "true"), (int, "null")]:
            (fault,) = self.bad(kind, text, json)
            self.assertIn(f"is {text} without quotes", fault)

    def test_wrong_kind(self) -> None:
        (fault,) = self.bad(Seconds, "{a: b}")
        self.assertIn("is a mapping, a duration such as", fault)

    def test_broken_is_silent(self) -> None:
        """Its fault was told when it broke."""
        faults = Faults()
        node = Scalar("${X}", Origin("f"), Style.BROKEN)
        for kind in (int, Seconds | None, tuple[int, ...], Action, Matcher, Pair):
            self.assertIs(Decoder(KINDS, faults).decode(kind, node), FAULTY)
        self.assertFalse(faults)


class BytesTests(DecodeTestCase):
    def test_spellings(self) -> None:
        for text, value in [
            (r"'\00\0e\38'", b"\x00\x0e8"),
            (r"\00\0e", b"\x00\x0e"),
            ('{hex: "000e38"}', b"\x00\x0e8"),
            ("{hex: 000e}", b"\x00\x0e"),
            (r'"\x16\x03"', b"\x16\x03"),
            ("é", b"\xc3\xa9"),
        ]:
            self.assertEqual(self.good(bytes, text), value, text)
        self.assertEqual(self.good(tuple[bytes, ...], "[a, {hex: 62}]"), (b"a", b"b"))

    def test_faults(self) -> None:
        for text, said in [
            (r'"\x80"', "f:1:1: x: '\\x80' in double quotes"),
            (r'"\00"', "f:1:1: x: the escape in double quotes"),
            ("{hex: 0}", "f:1:7: x.hex: "),
            ("{hex: [a]}", "f:1:7: x.hex: is a list"),
            ("{hexx: 00}", "f:1:1: x: is a mapping, text with escapes"),
            ("[a]", "f:1:1: x: is a list, text with escapes"),
        ]:
            (fault,) = self.bad(bytes, text)
            self.assertIn(said, fault)
        (fault,) = self.bad(bytes, "{hex: 10}".replace("10", '"0"'), yaml)
        self.assertIn("not hexadecimal", fault)
        (fault,) = self.bad(bytes, '{"hex": 10}', json)
        self.assertIn("10 without quotes", fault)


class ListTests(DecodeTestCase):
    def test_one_or_several(self) -> None:
        self.assertEqual(self.good(tuple[int, ...], "1"), (1,))
        self.assertEqual(self.good(tuple[int, ...], "[1, 2]"), (1, 2))
        self.assertEqual(self.good(tuple[int, ...], "[]"), ())

    def test_every_item_is_judged(self) -> None:
        faults = self.bad(tuple[int, ...], "[a, 1, b]")
        self.assertEqual(
            faults,
            [
                'f:1:2: x.0: "a" is not a whole number',
                'f:1:8: x.2: "b" is not a whole number',
            ],
        )

    def test_unique(self) -> None:
        """Told at the second of the two, also when other things are wrong."""
        text = "[{name: a}, {name: a, size: 0}, {name: b}, {nam: a}, {name: a}]"
        faults = self.bad(tuple[Named, ...], text)
        self.assertEqual(
            [fault.partition(": x.")[2].partition(": ")[0] for fault in faults],
            ["1.name", "1.size", "3.nam", "4.name"],
        )

    def test_names_in_place_of_a_list(self) -> None:
        """Who writes a mapping from names is shown how a list begins."""
        (fault,) = self.bad(tuple[Named, ...], "{one: {size: 2}, two: {size: 3}}")
        self.assertEqual(
            fault, "f:1:1: x: is a mapping, a list is allowed: - {name: one, ...}"
        )
        self.assertEqual(self.good(tuple[Named, ...], "{name: a}"), (Named(name="a"),))
        (fault,) = self.bad(tuple[Named, ...], "{nam: a}")
        self.assertIn('did you mean "name"?', fault)


class MappingTests(DecodeTestCase):
    def test_names(self) -> None:
        value = self.good(Mapping[str, int], "{a: 1, b: 2}")
        self.assertEqual(value, {"a": 1, "b": 2})

    def test_faults(self) -> None:
        self.assertEqual(
            self.bad(Mapping[Name, int], "{a b: 1, c: d}"),
            [
                'f:1:2: x: "a b" is not a name of up to 64 letters, digits, _ . -',
                'f:1:13: x.c: "d" is not a whole number',
            ],
        )
        (fault,) = self.bad(Mapping[str, int], "[]")
        self.assertIn("is a list, a mapping from names to values", fault)

    def test_options_in_place_of_names(self) -> None:
        """What belongs into the mapping of a name stands beside the name."""
        for kind, text in (
            (Named, "{a: {name: x}, size: 2}"),
            (Verb, "{a: {close: }, limit: 2}"),
            (Verb, "{a: {close: }, close: }"),
        ):
            key = text[15:].partition(":")[0]
            mapping: Any = Mapping[str, kind]  # type: ignore[valid-type]
            (fault,) = self.bad(mapping, text)
            self.assertEqual(
                fault,
                f"f:1:16: x.{key}: is an option, a name is allowed;"
                " is it indented too little?",
            )
        value = self.good(Mapping[str, Named], "{size: {name: x}}")
        self.assertEqual(value, {"size": Named(name="x")})


class ClassTests(DecodeTestCase):
    def test_values_and_defaults(self) -> None:
        self.assertEqual(self.good(Pair, "{low: 3}"), Pair(low=3))
        for text in ("{}", "", "~"):
            self.assertEqual(self.good(Pair, text), Pair())

    def test_all_faults(self) -> None:
        self.assertEqual(
            self.bad(Named, "{size: 0, sise: 3}"),
            [
                "f:1:1: x: the key name is missing",
                "f:1:8: x.size: 0 is too small, 1 or more is allowed",
                "f:1:11: x.sise: unknown key, allowed: name, other, size; "
                'did you mean "size"?',
            ],
        )

    def test_key_of_a_file(self) -> None:
        """One that is never seen here is known, and refused where it is seen."""
        (fault,) = self.bad(Named, "{name: a, othre: 1}")
        self.assertIn('allowed: name, other, size; did you mean "other"?', fault)
        (fault,) = self.bad(Named, "{name: a, other: 1}")
        self.assertIn("x.other: is for files, it means nothing here", fault)

    def test_a_misspelt_key_is_one_fault(self) -> None:
        """Not also a missing one."""
        (fault,) = self.bad(Named, "{nmae: x}")
        self.assertIn('did you mean "name"?', fault)

    def test_wrong_kind(self) -> None:
        (fault,) = self.bad(Pair, "[1]")
        self.assertEqual(
            fault, "f:1:1: x: is a list, a mapping with keys of high, low is allowed"
        )
        (fault,) = self.bad(Verb, "[1]")
        self.assertIn("keys of close, exec, forward, limit, respond is", fault)

    def test_conflicts(self) -> None:
        """Told at their key, as far as the values are in order."""
        self.assertEqual(
            self.bad(Pair, "{high: 1, low: 3}"), ["f:1:16: x.low: is above high"]
        )
        self.assertEqual(self.bad(Pair, "{low: 30}"), ["f:1:7: x.low: is above high"])
        (fault,) = self.bad(Pair, "{high: a, low: 30}")
        self.assertIn("x.high", fault)

    def test_constructor(self) -> None:
        """What it refuses stands at the value, or at the mapping."""
        self.assertEqual(
            self.bad(Strict, "bad"), ["f:1:1: x: bad is not allowed, good is"]
        )
        (fault,) = self.bad(tuple[Strict, ...], "[good, {text: bad}]")
        self.assertTrue(fault.startswith("f:1:8: x.1: bad"))


class ActionTests(DecodeTestCase):
    def test_spellings(self) -> None:
        host = Host("a", 1)
        for text, value in [
            ("close", Close()),
            ("{close: }", Close()),
            ("{close: {}}", Close()),
            ("{close: {reset: true}}", Close(reset=True)),
            ("{forward: 'a:1'}", Forward((host,))),
            ("{forward: ['a:1', 'a:1']}", Forward((host, host))),
            ("{forward: {to: 'a:1'}}", Forward((host,))),
            (
                "{forward: {to: 'a:1', connect: {timeout: 1s}}}",
                Forward((host,), connect=Connect(timeout=Seconds(1.0))),
            ),
            ("{respond: {hex: 6869}}", Respond(b"hi")),
            ("{respond: {body: {hex: 6869}}}", Respond(b"hi")),
        ]:
            self.assertEqual(self.good(Action, text), value, text)

    def test_faults(self) -> None:
        for text, said in [
            (
                "clos",
                '"clos" is not an action, allowed: close, exec, forward, respond; '
                'did you mean "close"?',
            ),
            ("{clos: {}}", '"clos" is not an action'),
            ("forward", "f:1:1: x.forward: is empty, HOST:PORT, [V6]:PORT or"),
            ("{forward: }", "x.forward: is empty, HOST:PORT, [V6]:PORT or"),
            ("{forward: {}}", "x.forward: the key to is missing"),
            ("{close: x}", 'x.close: is "x", a mapping with keys of reset is allowed'),
            ("{close: {}, forward: 'a:1'}", "has 2 keys, one action is allowed"),
            ("{}", "is an empty mapping, one of close, exec"),
            ("[close]", "is a list, one of close, exec"),
            ("", "is empty, one of close, exec"),
        ]:
            (fault,) = self.bad(Action, text)
            self.assertIn(said, fault, text)

    def test_inline(self) -> None:
        """The action's key stands beside the class' own."""
        self.assertEqual(
            self.good(Verb, "{limit: 3, close: }"), Verb(limit=3, action=Close())
        )
        self.assertEqual(self.good(Perhaps, "{}"), Perhaps())
        self.assertEqual(self.good(Perhaps, "{close: }"), Perhaps(action=Close()))

    def test_inline_faults(self) -> None:
        for kind, text, said in [
            (Verb, "{}", "an action is missing, one of close, exec"),
            (Verb, "{close: , respond: a}", "there are 2 actions, close, respond; one"),
            (
                Verb,
                "{closs: }",
                "allowed: close, exec, forward, limit, respond; did you",
            ),
            (Perhaps, "{close: , respond: a}", "there are 2 actions"),
            (Perhaps, "{close: a}", "x.close: is"),
        ]:
            (fault,) = self.bad(kind, text)
            self.assertIn(said, fault, text)


class MatcherTests(DecodeTestCase):
    def test_spellings(self) -> None:
        get, always = Prefix((b"GET",)), Always()
        for text, value in [
            ("always", always),
            ("{always: }", always),
            ("{prefix: GET}", get),
            ("{prefix: {hex: 474554}}", get),
            ("{prefix: [GET, {hex: 00}]}", Prefix((b"GET", b"\0"))),
            ("{prefix: {patterns: [GET]}}", get),
            ("{always: , prefix: GET}", All((always, get))),
            ("[always, {prefix: GET}]", AnyOf((always, get))),
            ("{not: always}", Not(always)),
            ("{not: {prefix: GET}}", Not(get)),
            ("{not: [always, {prefix: GET}]}", Not(AnyOf((always, get)))),
            ("{all: [always, {prefix: GET}]}", All((always, get))),
            (
                "{any: [always, {not: {prefix: GET, always: }}]}",
                AnyOf((always, Not(All((get, always))))),
            ),
        ]:
            self.assertEqual(self.good(Matcher, text), value, text)

    def test_faults(self) -> None:
        for text, said in [
            ("alwys", 'f:1:1: x: "alwys" is not a matcher, allowed: all, always'),
            ("{prefx: a}", 'did you mean "prefix"?'),
            ("{prefix: {hexx: 00}}", "x.prefix"),
            ("prefix", "x.prefix: is empty, text with escapes"),
            ("{prefix: }", "x.prefix: is empty, text with escapes"),
            ("{not: }", "x.not: is empty, one of all, always"),
            ("{always: {x: 1}}", "x.always.x: unknown key, none is allowed"),
            ("{not: {prefix: []}}", "f:1:16: x.not.prefix: there is no pattern"),
            ("[always, bad]", "f:1:10: x.1: "),
            ("[]", "there is no matcher"),
            ("", "is empty, one of all"),
        ]:
            (fault,) = self.bad(Matcher, text)
            self.assertIn(said, fault, text)

    def test_every_part_is_judged(self) -> None:
        faults = self.bad(Matcher, "{prefix: {hex: 0}, nothing: , not: what}")
        self.assertEqual(len(faults), 3)

    def test_typed(self) -> None:
        (fault,) = self.bad(Matcher, "1", json)
        self.assertIn("1 without quotes", fault)
