"""What a configurable class declares, read from its fields."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cache, reduce
from operator import or_
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from portmux.config.tree import Node, Table
from portmux.config.values import leaf_of
from portmux.core.frame.framer import Framer
from portmux.core.head import Matcher
from portmux.core.option import Option, declared, key_of
from portmux.core.plan import Action


@attrs.frozen
class Field:
    """
    One option of a class.

    @ivar name: the constructor's argument.
    @ivar key: the key in a file; its action's name for an inline field.
    @ivar kind: the annotation, with C{None} in it where C{none} is allowed.
    """

    name: str
    key: str
    kind: Any
    option: Option
    _default: Any

    @property
    def required(self) -> bool:
        return self._default is attrs.NOTHING

    @property
    def default(self) -> Any:
        """The default, made anew; only for a field that is not required."""
        if isinstance(self._default, attrs.Factory):  # type: ignore[arg-type]
            return self._default.factory()
        return self._default


@attrs.frozen
class Shape:
    """
    @ivar fields: by key, in declared order, without the inline one.
    @ivar value: the field whose value may stand for the whole class.
    @ivar inline: the field whose action's key stands beside the class' own keys.
    @ivar elsewhere: keys of a file that are none of the class' fields.
    @ivar moot: given names of options, tells those that mean nothing beside them.
    """

    fields: Mapping[str, Field]
    value: Field | None
    inline: Field | None
    elsewhere: tuple[str, ...]
    moot: Callable[[Container[str]], Container[str]]

    @property
    def all(self) -> tuple[Field, ...]:
        inline = () if self.inline is None else (self.inline,)
        return (*self.fields.values(), *inline)

    def shortened(self, node: Node) -> bool:
        """@return: whether the node stands for the value alone, not for all options."""
        if self.value is None:
            return False
        if not isinstance(node, Table):
            return True
        if not node.entries or not self.fields.keys().isdisjoint(node.entries):
            return False
        return takes_table(self.value.kind)


@cache
def shape_of(cls: Any) -> Shape:
    """Fields that L{option} did not declare are the class' own business."""
    kinds = get_type_hints(cls, include_extras=True)
    found = [
        Field(field.name, key_of(field), kinds[field.name], option, field.default)
        for field in attrs.fields(cls)
        if (option := declared(field)) is not None
    ]
    return Shape(
        fields={field.key: field for field in found if not field.option.inline},
        value=next((field for field in found if field.option.value), None),
        inline=next((field for field in found if field.option.inline), None),
        elsewhere=getattr(cls, "elsewhere", ()),
        moot=getattr(cls, "moot", lambda given: ()),
    )


def unwrap(kind: Any) -> tuple[Any, bool]:
    """@return: the annotation without None, and whether None was in it."""
    if get_origin(kind) not in (Union, UnionType):
        return kind, False
    kinds = [each for each in get_args(kind) if each is not NoneType]
    return reduce(or_, kinds), len(kinds) < len(get_args(kind))


def takes_table(kind: Any) -> bool:
    """@return: whether a mapping may be a value of the annotation."""
    kind, _ = unwrap(kind)
    if get_origin(kind) is tuple:
        return takes_table(get_args(kind)[0])
    if kind in (bytes, Matcher, Action, Framer) or get_origin(kind) is Mapping:
        return True
    return leaf_of(kind) is None
