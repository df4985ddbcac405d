"""Tests for L{portmux.testing}."""

from __future__ import annotations

import gc
import re
from importlib import import_module
from pkgutil import iter_modules

import attrs
from hypothesis import find
from twisted.trial.unittest import SynchronousTestCase

import portmux.core.match
import tests.core.match
from portmux.core.head import Head, Matcher, Reason, Verdict, judge
from portmux.core.match.always import Always
from portmux.core.match.local import Local
from portmux.core.match.prefix import Prefix
from portmux.core.match.source import Source
from portmux.core.match.ssh import Ssh
from portmux.core.network import Network
from portmux.core.registry import Registry
from portmux.testing import (
    LOCAL,
    SOURCE,
    CountingBuffer,
    assert_every_cut,
    head_of,
    noise,
    recognised,
    steps,
    trickle,
    verdict_of,
    verdicts,
)
from tests.openings import OPENINGS, named

NO, MORE, YES = Verdict.NO, Verdict.MORE, Verdict.YES


def examples() -> list[Matcher]:
    """@return: what the tests of all matchers name as examples of them."""
    rooms = iter_modules(tests.core.match.__path__, "tests.core.match.")
    return [
        matcher for found in rooms for matcher in import_module(found.name).EXAMPLES
    ]


@attrs.frozen
class Says:
    """A matcher that answers by the number of octets that have come."""

    answers: tuple[Verdict, ...]
    octets: frozenset[int] | None = None

    def match(self, head: Head) -> Verdict:
        return self.answers[len(head.data)]

    def why(self, head: Head) -> Reason:
        return Reason("so it says")

    def first(self) -> frozenset[int] | None:
        return self.octets


@attrs.frozen
class WantsOneSegment:
    """A matcher as one must not write it: only the first segment counts."""

    def match(self, head: Head) -> Verdict:
        return head.recall(self, lambda: Verdict.of(head.data == b"ab"))

    def why(self, head: Head) -> Reason:
        return Reason("wrong")


@attrs.frozen
class FromTheStart:
    """A matcher as one must not write it: it reads all octets at every call."""

    def match(self, head: Head) -> Verdict:
        for octet in head.data[:]:
            if octet != ord("a"):
                return NO
        return MORE

    def why(self, head: Head) -> Reason:
        return Reason("wrong")


class EveryKindTests(SynchronousTestCase):
    """What holds for every matcher and every opening."""

    def test_all_have_examples(self) -> None:
        """The tests of a matcher hold C{EXAMPLES} of it, for the tests here."""
        registry = Registry()
        registry.load(portmux.core.match)
        kinds = {type(matcher) for matcher in examples()}
        self.assertEqual(kinds, {*registry.matchers.values()})

    def test_any_cut(self) -> None:
        """The verdict is final and the same however the bytes were cut."""
        for matcher in examples():
            for data in OPENINGS.values():
                assert_every_cut(matcher, data[:300])

    def test_what_is_kept_does_not_count(self) -> None:
        """Reloads compare, and matchers may remember connections by themselves."""
        for one, other in zip(examples(), examples(), strict=True):
            twin = attrs.evolve(other)  # type: ignore[misc]
            self.assertEqual(one, twin)

    def test_reasons_are_printable(self) -> None:
        """Neither a reason nor a fact can forge a line or a field."""
        for matcher in examples():
            for data in OPENINGS.values():
                why = matcher.why(head_of(data))
                self.assertTrue(why.text.isascii() and why.text.isprintable())
                for name, fact in why.facts:
                    self.assertRegex(f"{name}={fact}", r"\A[a-z]+=[!#-~]+( [!#-~]+)?\Z")

    def test_no_cycles(self) -> None:
        """What is kept of a connection goes with it, not when the collector runs."""
        matchers = examples()
        gc.disable()
        self.addCleanup(gc.enable)
        gc.collect()
        for matcher in matchers:
            for data in OPENINGS.values():
                head = head_of(data[: len(data) // 2])
                judge(matcher, head)
                head.data += data[len(data) // 2 :]
                judge(matcher, head)
                del head
        self.assertEqual(gc.collect(), 0)


class VerdictsTests(SynchronousTestCase):
    def refused(self, matcher: Matcher, data: bytes) -> str:
        return str(self.assertRaises(AssertionError, verdicts, matcher, data))

    def test_each_beginning(self) -> None:
        self.assertEqual(verdicts(Prefix((b"ab",)), b"abc"), [MORE, MORE, YES, YES])

    def test_addresses(self) -> None:
        self.assertIs(verdict_of(Source((Network(SOURCE.host),)), b""), YES)
        self.assertIs(verdict_of(Local((Network(LOCAL.host),)), b""), YES)
        here = Source((Network(LOCAL.host),))
        self.assertEqual(verdicts(here, b"", source=LOCAL), [YES])

    def test_not_final(self) -> None:
        for answers in ((YES, NO), (NO, MORE), (NO, YES)):
            self.assertIn("was final", self.refused(Says(answers), b"a"))

    def test_segments(self) -> None:
        """One that depends on segments is found, and so are two that agree."""
        self.assertIn("NO by octets, on 2", self.refused(WantsOneSegment(), b"ab"))

    def test_first_octets(self) -> None:
        """A matcher must keep what C{first} promises."""
        self.assertIn("first()", self.refused(Says((YES,), frozenset(b"a")), b""))
        self.assertIn("first()", self.refused(Says((NO,), frozenset()), b""))
        self.assertIn(
            "first()", self.refused(Says((MORE, MORE), frozenset(b"a")), b"b")
        )
        verdicts(Says((MORE, NO), frozenset(b"a")), b"b")
        verdicts(Says((YES, YES)), b"b")

    def test_every_cut(self) -> None:
        """Two segments are judged too."""
        self.assertIs(assert_every_cut(Prefix((b"ab",)), b"abc"), YES)
        self.assertRaises(AssertionError, assert_every_cut, WantsOneSegment(), b"ab")


class RecognisedTests(SynchronousTestCase):
    def test_names(self) -> None:
        openings = {"a": b"SSH-2.0-x", "b": b"GET /", "c": b"SSH"}
        self.assertEqual(recognised(Ssh(), openings), {"a"})


class NoiseTests(SynchronousTestCase):
    def test_damaged_openings(self) -> None:
        """Octets are dropped, put in, and put behind; any bytes come as well."""
        damaged = noise([b"abcdefgh"])
        dropped = re.compile(b"abc[de]*fgh")
        find(
            damaged, lambda data: len(data) < 8 and dropped.fullmatch(data) is not None
        )
        put_in = re.compile(b"(?s)abcd.+efgh")
        find(damaged, lambda data: put_in.fullmatch(data) is not None)
        find(damaged, lambda data: len(data) > 8 and data.startswith(b"abcdefgh"))
        find(damaged, lambda data: len(data) > 20)

    def test_without_openings(self) -> None:
        find(noise(), lambda data: len(data) > 2)


class WorkTests(SynchronousTestCase):
    def test_octets(self) -> None:
        """Each way of reading counts."""
        for read, count in (
            (lambda buffer: buffer[3], 1),
            (lambda buffer: buffer[2:5], 3),
            (lambda buffer: buffer[-4:], 4),
            (list, 10),
            (lambda buffer: buffer.startswith(b"aaa"), 3),
            (lambda buffer: buffer.startswith((b"b", b"a" * 99)), 11),
            (lambda buffer: buffer.find(b"b", 4), 6),
        ):
            buffer = CountingBuffer(b"a" * 10)
            read(buffer)
            read(buffer)
            self.assertEqual(buffer.octets, 2 * count)

    def test_lines(self) -> None:
        """A loop that goes on longer takes more; the same takes the same."""

        def loop(times: int) -> int:
            return steps(lambda: [judge(Always(), head_of()) for _ in range(times)])

        def three() -> int:
            one = 1
            two = one + one
            return two + one

        self.assertEqual(steps(three), 3)
        self.assertEqual(loop(10), loop(10))
        self.assertGreater(loop(20), 1.8 * loop(10))

    def test_trickle(self) -> None:
        """It stops when the matcher has decided, and tells what is not linear."""
        decided = trickle(Prefix((b"ab",)), b"ab" + bytes(1000))
        self.assertLess(decided, trickle(Prefix((b"a" * 60,)), b"a" * 60))
        costs = [trickle(FromTheStart(), b"a" * size) for size in (500, 1000)]
        self.assertGreater(costs[1], 3.5 * costs[0])

    def test_openings_are_there(self) -> None:
        """A test over no openings would show nothing."""
        for protocol in ("tls", "http1", "ssh"):
            self.assertTrue(named(protocol))
