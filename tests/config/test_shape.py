"""Tests of what a class declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.shape import shape_of, takes_table, unwrap
from portmux.config.tree import Items, Origin, Scalar, Table, table
from portmux.core.address import Address, Host, Unix
from portmux.core.head import Matcher
from portmux.core.option import Seconds, option
from portmux.core.plan import Action

HERE = Origin("f")
SCALAR = Scalar("x", HERE)


@attrs.frozen
class Inner:
    deep: int = option("", default=1)


@attrs.frozen
class Sample:
    first: tuple[bytes, ...] = option("", value=True)
    half_close: Seconds | None = option("", default=None)
    inner: Inner = option("", factory=Inner)
    act: Action = option("", inline=True)
    _own: int = attrs.field(init=False, default=3)


class ShapeTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """Keys have dashes; the inline field and the class' own are none."""
        shape = shape_of(Sample)
        self.assertEqual(list(shape.fields), ["first", "half-close", "inner"])
        self.assertIs(shape.value, shape.fields["first"])
        assert shape.inline is not None
        self.assertEqual(shape.inline.name, "act")
        self.assertEqual([field.name for field in shape.all][-1], "act")

    def test_defaults(self) -> None:
        fields = shape_of(Sample).fields
        self.assertTrue(fields["first"].required)
        self.assertIsNone(fields["half-close"].default)
        self.assertEqual(fields["inner"].default, Inner())

    def test_shortened(self) -> None:
        """A mapping is the value if none of its keys is an option."""
        shape = shape_of(Sample)
        for node in (SCALAR, Items(HERE), table(HERE, hex=SCALAR)):
            self.assertTrue(shape.shortened(node), node)
        for node in (Table(HERE), table(HERE, hex=SCALAR, inner=SCALAR)):
            self.assertFalse(shape.shortened(node), node)
        self.assertFalse(shape_of(Inner).shortened(SCALAR))

    def test_unwrap(self) -> None:
        self.assertEqual(unwrap(Seconds | None), (Seconds, True))
        self.assertEqual(unwrap(Optional[int]), (int, True))  # noqa: UP045
        self.assertEqual(unwrap(Host | Unix | None), (Address, True))
        self.assertEqual(unwrap(Address), (Address, False))
        self.assertEqual(unwrap(tuple[int, ...]), (tuple[int, ...], False))

    def test_takes_table(self) -> None:
        taking: list[Any] = [bytes, Matcher, Action, Inner, Mapping[str, int]]
        for kind in taking:
            self.assertTrue(takes_table(kind), kind)
        self.assertTrue(takes_table(tuple[bytes, ...]))
        others: list[Any] = [str, Seconds | None, Address, tuple[int, ...]]
        for kind in others:
            self.assertFalse(takes_table(kind), kind)
