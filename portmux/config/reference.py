"""List every option with what it takes, its default and its help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from inspect import getdoc
from typing import Any, get_args, get_origin

import attrs

from portmux.config.complete import shown
from portmux.config.faults import Faults
from portmux.config.shape import Field, shape_of, unwrap
from portmux.config.sources import yaml
from portmux.config.tree import Items, Node, Origin, Path, Scalar, Style
from portmux.config.values import leaf_of
from portmux.core.frame.framer import Framer
from portmux.core.head import Matcher
from portmux.core.plan import Action

ACTION = "ACTION"
"""Stands in a path where an action's own name does."""


@attrs.frozen
class Row:
    """
    One option.

    @ivar path: in capitals where a name of one's own stands, C{N} for positions.
    @ivar default: as in a file; C{required} where there is none;
        empty where the options inside have their own.
    """

    path: Path
    allowed: str
    default: str
    help: str
    example: str


def rows(cls: Any, path: Path = ()) -> Iterator[Row]:
    """@return: the options of a class and, behind each, those inside it."""
    for field in shape_of(cls).all:
        here = (*path, ACTION if field.option.inline else field.key)
        yield Row(
            here,
            allowed(field.kind),
            _default(field),
            field.option.help,
            field.option.example,
        )
        yield from _inner(field.kind, here)


def allowed(kind: Any) -> str:
    """@return: what a value of the annotation is, for people."""
    kind, optional = unwrap(kind)
    if get_origin(kind) is tuple:
        what = f"{allowed(get_args(kind)[0])}, or a list of them"
    elif get_origin(kind) is Mapping:
        what = f"names, each with {allowed(get_args(kind)[1])}"
    elif kind is Matcher:
        what = "a matcher"
    elif kind is Action:
        what = "an action"
    elif kind is Framer:
        what = "a protocol"
    elif leaf := leaf_of(kind):
        what = leaf.allowed
    else:
        shape = shape_of(kind)
        what = "options"
        if shape.value is not None:
            what = allowed(shape.value.kind)
            what += ", or options" if len(shape.fields) > 1 else ""
    return f"{what}, or none" if optional else what


def written(example: str) -> Node:
    """@return: an option's example, of which only lists and mappings are quoted."""
    origin, faults = Origin("example"), Faults()
    if not example.startswith(("[", "{", '"', "'")):
        style = Style.PLAIN if re.fullmatch(r"[\w.+-]+", example) else Style.QUOTED
        return Scalar(example, origin, style)
    node = yaml.fragment(origin, example, faults)
    faults.check()
    assert node is not None
    return node


def told(kind: Any) -> str:
    """@return: what a class says of itself, without what is for programmers."""
    text = (getdoc(kind) or "").partition("\n@")[0].strip()
    text = re.sub(r"L\{(?:[a-z_]+\.)*(\w+)\}", r"`\1`", text)
    return re.sub(r"[CI]\{([^}]*)\}", r"`\1`", text)


def first_sentence(kind: Any) -> str:
    """@return: the first paragraph of L{told}, on one line, without a full stop."""
    return " ".join(told(kind).partition("\n\n")[0].split()).removesuffix(".")


def markdown(listed: Iterable[Row]) -> str:
    """@return: a table, a line for each option."""
    lines = ["| option | takes | default | meaning |", "|---|---|---|---|"]
    for row in listed:
        cells = (f"`{'.'.join(row.path)}`", row.allowed, row.default, row.help)
        lines.append(
            "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
        )
    return "\n".join(lines) + "\n"


def _inner(kind: Any, path: Path) -> Iterator[Row]:
    kind, _ = unwrap(kind)
    if get_origin(kind) is tuple:
        yield from _inner(get_args(kind)[0], (*path, "N"))
    elif get_origin(kind) is Mapping:
        yield from _inner(get_args(kind)[1], (*path, "NAME"))
    elif kind not in (Matcher, Action, Framer) and leaf_of(kind) is None:
        shape = shape_of(kind)
        if shape.value is None or len(shape.fields) > 1:
            yield from rows(kind, path)


def _default(field: Field) -> str:
    if field.required:
        return "required"
    node = shown(field.kind, field.default)
    if isinstance(node, Scalar):
        return f"`{node.text}`"
    empty = not (node.values if isinstance(node, Items) else node.entries)
    return "none given" if empty else ""
