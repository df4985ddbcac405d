"""
The JSON Schema of portmux.conf, for editors: made from the model and the kinds.

It says which keys there are, where, and what their values look like. What values
must be beside each other is known to C{portmux check} alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

import attrs

from portmux.config.complete import shown
from portmux.config.model import Config
from portmux.config.reference import first_sentence, written
from portmux.config.shape import Field, Shape, shape_of, unwrap
from portmux.config.sources.tunnel import Tunnel
from portmux.config.tree import Items, Node, Scalar, Style, Table
from portmux.config.values import NAME, Name, OwnAddress, PoolName, leaf_of
from portmux.core.address import Address, BindAddress, Host, Unix
from portmux.core.frame.framer import Framer
from portmux.core.head import Matcher
from portmux.core.option import Octets, Seconds
from portmux.core.plan import Action
from portmux.core.registry import Registry
from portmux.core.strategies import ALIASES, Strategy

Json = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_N = r"[0-9]+(\.[0-9]+)?"
_PORT = r"[0-9]{1,5}"
_SIX = rf"\[[0-9A-Fa-f:.]+\]:{_PORT}"
_HOST = rf"^([A-Za-z0-9_.-]+:{_PORT}|{_SIX})$"
_LOCAL = rf"([A-Za-z0-9.-]+:[0-9]+|[0-9]+|{_SIX})"
_UNIX = r"^unix:[^\u0000]+$"

_BIND: Final[list[Json]] = [
    {"type": "string", "pattern": rf"^([0-9.]+:{_PORT}|\*:{_PORT}|{_SIX})$"},
    {"type": "string", "pattern": _UNIX},
    {"type": "string", "pattern": r"^systemd:[!-9;-~]{1,255}$"},
]

SCALARS: Final[Mapping[Any, tuple[str, list[Json]]]] = {
    str: ("text", [{"type": ["string", "number", "boolean"]}]),
    Name: (
        "name",
        [
            {
                "type": ["string", "number", "boolean"],
                "pattern": r"^[A-Za-z0-9_.-]{1,64}$",
            }
        ],
    ),
    PoolName: (
        "pool",
        [
            {
                "type": ["string", "number", "boolean"],
                "pattern": r"^[A-Za-z0-9_.-]{1,64}$",
            }
        ],
    ),
    Strategy: (
        "strategy",
        [{"enum": [*(each.value for each in Strategy), *ALIASES]}],
    ),
    bytes: (
        "octets",
        [
            {"type": ["string", "number", "boolean"]},
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["hex"],
                "properties": {
                    "hex": {
                        "description": "the octets in hexadecimal",
                        "type": ["string", "number"],
                        "examples": ["000e38"],
                    }
                },
            },
        ],
    ),
    int: (
        "integer",
        [{"type": "integer"}, {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)$"}],
    ),
    float: (
        "number",
        [
            {"type": "number"},
            {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"},
        ],
    ),
    bool: ("truth", [{"type": "boolean"}, {"enum": ["true", "false"]}]),
    Seconds: (
        "duration",
        [
            {"type": "number", "minimum": 0},
            {
                "type": "string",
                "pattern": rf"^({_N}|(?=.)({_N}d)?({_N}h)?({_N}m(?!s))?"
                rf"({_N}s)?({_N}ms)?)$",
            },
        ],
    ),
    Octets: (
        "size",
        [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": rf"^{_N} ?([kKMGT]?B|[KMGT]iB)?$"},
        ],
    ),
    str | int: ("text", [{"type": ["string", "number", "boolean"]}]),
    Host: ("host", [{"type": "string", "pattern": _HOST}]),
    Unix: ("unix", [{"type": "string", "pattern": _UNIX}]),
    Address: (
        "address",
        [{"type": "string", "pattern": _HOST}, {"type": "string", "pattern": _UNIX}],
    ),
    BindAddress: ("bind-address", _BIND),
    OwnAddress: ("bind-address", _BIND),
    Tunnel: (
        "tunnel",
        [{"type": "string", "pattern": rf"^{_LOCAL}={_LOCAL}(,{_LOCAL})*(\[.+\])?$"}],
    ),
}
"""
A name for each kind of value, and the schemas of which one fits it.

Patterns are in what ECMA 262 and Python have in common.
"""

_VARIABLE: Final[Json] = {
    "description": "with ${NAME}, which is the environment's",
    "type": "string",
    "pattern": r"\$\{",
}

_NONE: Final[Json] = {"enum": ["none", None]}

_BOOLEAN = re.compile("true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile("[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def schema(registry: Registry) -> Json:
    """@return: a schema of draft 2020-12 for whole files and for parts of them."""
    return _Writer(registry).whole()


def plain(node: Node) -> Any:
    """
    @return: what JSON makes of the tree: bare scalars are what the core schema
        of YAML 1.2 takes them for, which is how editors read them.
    """
    if isinstance(node, Table):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(each) for each in node.values]
    if node.style not in (Style.PLAIN, Style.TYPED):
        return node.text
    if node.null:
        return None
    if _BOOLEAN.fullmatch(node.text):
        return node.text.lower() == "true"
    if _INTEGER.fullmatch(node.text):
        return int(node.text)
    return float(node.text) if _FLOAT.fullmatch(node.text) else node.text


@attrs.define(eq=False)
class _Writer:
    """@ivar defs: what is named, since it stands in several places."""

    registry: Registry
    defs: dict[str, Json] = attrs.field(factory=dict)

    def whole(self) -> Json:
        root = self._object(shape_of(Config))
        # What one file lacks, another one may bring, or the environment.
        del root["required"]
        root["properties"]["include"] = {
            "description": "files that are laid over this one",
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
            ],
            "examples": ["conf.d/*.conf"],
        }
        for sort, kinds in (
            ("matcher", self.registry.matchers),
            ("action", self.registry.actions),
            ("protocol", self.registry.framers),
        ):
            for name, kind in kinds.items():
                told = {"description": first_sentence(kind)}
                self.defs[f"{sort}.{name}"] = told | _any(self._record(kind))
            self.defs[sort] = _chosen(sort, kinds)
        head = {"$schema": DRAFT, "title": "portmux.conf"}
        return head | root | {"$defs": dict(sorted(self.defs.items()))}

    def _value(self, kind: Any) -> list[Json]:
        """@return: the schemas of which one fits a value of the annotation."""
        kind, optional = unwrap(kind)
        found = self._required(kind)
        return [*found, _NONE] if optional else found

    def _required(self, kind: Any) -> list[Json]:
        if get_origin(kind) is tuple:
            inner = self._value(get_args(kind)[0])
            return [*inner, {"type": "array", "items": _any(inner)}]
        if get_origin(kind) is Mapping:
            return [self._named(*get_args(kind))]
        if kind is Matcher:
            return [{"$ref": "#/$defs/matcher"}]
        if kind is Action:
            return [{"$ref": "#/$defs/action"}]
        if kind is Framer:
            return [{"$ref": "#/$defs/protocol"}]
        if leaf_of(kind) is None:
            return [self._shared(kind)]
        return [self._scalar(kind)]

    def _shared(self, cls: Any) -> Json:
        name = f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"
        if name not in self.defs:
            self.defs[name] = _any(self._record(cls))
        return {"$ref": f"#/$defs/{name}"}

    def _scalar(self, kind: Any) -> Json:
        if kind not in SCALARS:
            return _any([{"enum": _words(kind)}, _VARIABLE])
        name, schemas = SCALARS[kind]
        told = {} if kind is Name else {"description": _allowed(kind)}
        self.defs[name] = told | _any([*schemas, _VARIABLE])
        return {"$ref": f"#/$defs/{name}"}

    def _named(self, names: Any, values: Any) -> Json:
        named = {"type": "object", "additionalProperties": _any(self._value(values))}
        if names is Name:
            allowed = {"description": NAME, "pattern": SCALARS[Name][1][0]["pattern"]}
            named["propertyNames"] = allowed
        return named

    def _record(self, cls: Any) -> list[Json]:
        """A class is written as its options, or as the value that stands for them."""
        shape = shape_of(cls)
        found = [] if shape.value is None else self._value(shape.value.kind)
        found.append(self._object(shape))
        if _bare(cls) and _NONE not in found:
            found.append({"type": "null"})
        return found

    def _object(self, shape: Shape) -> Json:
        properties = {key: self._option(field) for key, field in shape.fields.items()}
        if shape.inline is not None:
            verbs = self.registry.actions
            properties |= {name: {"$ref": f"#/$defs/action.{name}"} for name in verbs}
        found: Json = {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            "required": [key for key, field in shape.fields.items() if field.required],
        }
        if shape.inline is not None:
            found["oneOf"] = _one_of(self.registry.actions, shape.inline.required)
        return found

    def _option(self, field: Field) -> Json:
        found: Json = {"description": field.option.help}
        if not field.required:
            default = shown(field.kind, field.default)
            if isinstance(default, Scalar):
                found["default"] = plain(default)
        if field.option.example:
            found["examples"] = [_example(field)]
        return found | _any(self._value(field.kind))


def _example(field: Field) -> Any:
    """@return: as JSON; a number in it may be meant as text."""
    node = written(field.option.example)
    leaf = leaf_of(unwrap(field.kind)[0])
    if isinstance(node, Scalar) and leaf is not None and leaf.text:
        return node.text
    return plain(node)


def _any(schemas: list[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _allowed(kind: Any) -> str:
    leaf = leaf_of(kind)
    assert leaf is not None
    return leaf.allowed


def _words(kind: Any) -> list[Any]:
    """@return: what an option of fixed words takes."""
    if get_origin(kind) is Literal:
        words = get_args(kind)
    else:
        assert issubclass(kind, Enum)
        words = tuple(member.value for member in kind)
    return list(dict.fromkeys((*words, *map(str, words))))


def _bare(cls: Any) -> bool:
    """@return: whether it can be written without any option."""
    try:
        cls()
    except (TypeError, ValueError):
        return False
    return True


def _one_of(verbs: Mapping[str, Any], needed: bool) -> list[Json]:
    """@return: an action stands there, and no second one."""
    each: list[Json] = [{"required": [name]} for name in verbs]
    return each if needed else [*each, {"not": {"anyOf": list(each)}}]


def _chosen(sort: str, kinds: Mapping[str, Any]) -> Json:
    """@return: a matcher, of which several may stand together, or one of others."""
    mapping: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"$ref": f"#/$defs/{sort}.{name}"} for name in kinds},
        "minProperties": 1,
    }
    words = [name for name, kind in kinds.items() if _bare(kind)]
    found: list[Json] = [{"enum": words}, mapping, _VARIABLE]
    if sort == "matcher":
        several = {
            "type": "array",
            "items": {"$ref": "#/$defs/matcher"},
            "minItems": 1,
        }
        found.insert(2, several)
    else:
        mapping["maxProperties"] = 1
    return {"description": f"one of {', '.join(kinds)}", "anyOf": found}
