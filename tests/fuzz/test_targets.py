"""The targets themselves: their seeds are in order, and they see what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from twisted.trial.unittest import SynchronousTestCase

from fuzz import configuring
from fuzz.material import Material, seeds
from fuzz.parsing import MALFORMED, check
from fuzz.run import TARGETS
from portmux.app.build import registry
from portmux.core.head import Parser
from portmux.errors import Malformed


class SeedTests(SynchronousTestCase):
    def test_every_seed_holds(self) -> None:
        """Every target begins with inputs that break no property, whole and cut."""
        for name in TARGETS:
            target = import_module(f"fuzz.targets.{name}")
            self.assertTrue(target.SEEDS, name)
            for seed in target.SEEDS:
                target.check(seed)
                target.check(seed + bytes((0, 15)) * 2)

    def test_any_input_is_one(self) -> None:
        """Nothing, too little for the numbers, and no text at all."""
        for name in TARGETS:
            target = import_module(f"fuzz.targets.{name}")
            for data in (b"", b"\0", b"\xff" * 40, bytes(range(256))):
                target.check(data)


class MaterialTests(SynchronousTestCase):
    def test_numbers_come_from_the_end(self) -> None:
        material = Material(b"abc\x01\x02\x00\x05")
        self.assertEqual((material.number(7), material.number(1 << 16)), (5, 0x102))
        self.assertEqual(material.rest(), b"abc")

    def test_a_seed_is_what_it_looks_like(self) -> None:
        (seed,) = seeds(1, [b"abc"])
        self.assertEqual(Material(seed).pieces(), [b"abc"])

    def test_pieces(self) -> None:
        """All octets are in them, cut at one place, or behind each."""
        self.assertEqual(Material(b"abc\0\1\0\1").pieces(), [b"a", b"bc"])
        self.assertEqual(Material(b"abc\0\x0f").pieces(), [b"a", b"b", b"c"])


class Whole:
    """Says how many octets there were at its first look: cuts make a difference."""

    size = 0

    def read(self, data: bytearray) -> int | None:
        self.size = self.size or len(data)
        return self.size


class Eager:
    """Reads all of it again at each octet."""

    def read(self, data: bytearray) -> int | None:
        if data[:] == b"bad":
            raise Malformed("bad")
        return len(data[:])


class ParsingTests(SynchronousTestCase):
    """A parser that is wrong does not pass."""

    def read(self, make: Callable[[], Parser[int]], data: bytes) -> object:
        return check(make, lambda parser, result: result, data)

    def test_cuts(self) -> None:
        self.assertEqual(self.read(Whole, b"abcd" + bytes(4)), 4)
        wrong = self.assertRaises(
            AssertionError, self.read, Whole, b"abcd" + bytes((0, 15, 0, 0))
        )
        self.assertIn("a cut makes a difference", str(wrong))

    def test_work(self) -> None:
        self.assertEqual(self.read(Eager, b"bad" + bytes(4)), MALFORMED)
        wrong = self.assertRaises(
            AssertionError, self.read, Eager, b"a" * 200 + bytes((0, 15, 0, 0))
        )
        self.assertIn("octets are read again", str(wrong))


class SourceTests(SynchronousTestCase):
    def test_outcomes(self) -> None:
        """What is sound is given; what is not, has been told."""
        source = configuring.Source(registry(), ".yaml")
        loaded = source.check(b"listeners: {a: {bind: '*:1', echo: }}")
        self.assertIsNotNone(loaded)
        self.assertIsNone(source.check(b"listeners: {a: {bond: '*:1', echo: }}"))
