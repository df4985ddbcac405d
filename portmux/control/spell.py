"""How commands are declared, and made of words or of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Final, NewType, Union, get_args, get_origin, get_type_hints

import attrs

from portmux.errors import CommandError

INVALID: Final = -32602
"""JSON-RPC's code for parameters that cannot be."""

PROTOCOL: Final = 1010
"""plexy's code for what its line protocol refuses."""

_KEY: Final = "parameter"

Amount = NewType("Amount", str)
"""A number as it stands on a line, or C{none}; JSON may have a number there."""

_KINDS: Final[Mapping[Any, tuple[str, str]]] = {
    str: ("text", "string"),
    int: ("a whole number", "integer"),
    float: ("a number", "number"),
    bool: ("true or false", "boolean"),
    Amount: ("a number or text", "string"),
}
"""By type: what it is for people, and for JSON Schema."""


@attrs.frozen
class _Declared:
    help: str
    named: bool
    rest: bool
    missing: str


def parameter(
    help: str,
    *,
    default: Any = attrs.NOTHING,
    named: bool = False,
    rest: bool = False,
    missing: str = "",
) -> Any:
    """
    Declare a field of a command.

    @param named: C{NAME=VALUE} on a line, anywhere behind the others.
    @param rest: all that is left of a line, blanks included.
    @param missing: what it is called where it is needed and not there.
    """
    declared = _Declared(help, named, rest, missing)
    return attrs.field(default=default, metadata={_KEY: declared}, kw_only=named)


@attrs.frozen
class Parameter:
    """
    @ivar name: the field's, which is JSON-RPC's name for it, too.
    @ivar kind: str, int, float, bool, a tuple of str, or a class that reads JSON
        itself.
    """

    name: str
    help: str
    kind: Any
    needed: bool
    named: bool
    rest: bool
    missing: str

    @property
    def key(self) -> str:
        """Its name on a line, where that is said."""
        return self.name.replace("_", "-")

    @property
    def camel(self) -> str:
        first, *others = self.name.split("_")
        return first + "".join(map(str.capitalize, others))

    @property
    def usage(self) -> str:
        """How it is written on a line."""
        text = f"{self.key}={self.key.upper()}" if self.named else self.key.upper()
        return text if self.needed else f"[{text}]"

    def of_word(self, word: str) -> Any:
        """@raise CommandError: the word is no such value."""
        if self.kind in (int, float):
            try:
                return self.kind(word)
            except ValueError:
                text = f"{self.key} is not {_KINDS[self.kind][0]}: {word}"
                raise _refused(text) from None
        return word

    def of_json(self, value: Any) -> Any:
        """@raise CommandError: the value is of another type."""
        if hasattr(self.kind, "of_json"):
            return self.kind.of_json(value)
        if get_origin(self.kind) is tuple:
            if isinstance(value, list) and all(isinstance(each, str) for each in value):
                return tuple(value)
            raise self._unlike("an array of strings")
        if self.kind is Amount and type(value) in (int, float, str):
            return str(value)
        exact = type(value) is self.kind
        if exact or (self.kind is float and type(value) is int):
            return value
        raise self._unlike(_KINDS[self.kind][0])

    def schema(self) -> dict[str, Any]:
        """@return: in the words of JSON Schema."""
        if hasattr(self.kind, "schema"):
            found: dict[str, Any] = self.kind.schema()
            return found
        if get_origin(self.kind) is tuple:
            return {"type": "array", "items": {"type": "string"}}
        if self.kind is Amount:
            return {"type": ["number", "string"]}
        return {"type": _KINDS[self.kind][1]}

    def _unlike(self, allowed: str) -> CommandError:
        return CommandError(INVALID, "Invalid params", f"{self.name} is not {allowed}")


@attrs.frozen
class Command:
    """
    One command.

    @ivar kind: the attrs class whose objects are what was asked for; its
        docstring says what for.
    @ivar word: what it is called on a line; None: only JSON-RPC knows it.
    @ivar method: what JSON-RPC calls it; None: only lines know it.
    @ivar changes: somebody else may notice that it was given.
    @ivar rows: the result is a list of things, of each of which the same is told.
    @ivar plexy: the line of plexy's help; empty for commands of ours.
    """

    kind: type[Any]
    word: str | None = None
    method: str | None = None
    changes: bool = False
    rows: bool = False
    plexy: str = ""

    @property
    def help(self) -> str:
        """One sentence."""
        return " ".join((getdoc(self.kind) or "").partition("\n\n")[0].split())

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        kind: Any = self.kind
        return parameters(kind)

    @property
    def usage(self) -> str:
        """How it is written on a line."""
        if self.plexy:
            return self.plexy
        return " ".join([self.word or "", *(each.usage for each in self.parameters)])


@cache
def parameters(kind: Any) -> tuple[Parameter, ...]:
    """@return: those of a command's class, in the order of its fields."""
    types = get_type_hints(kind)
    return tuple(
        Parameter(
            field.name,
            declared.help,
            _bare(types[field.name]),
            field.default is attrs.NOTHING,
            declared.named,
            declared.rest,
            declared.missing or field.name.replace("_", "-"),
        )
        for field in attrs.fields(kind)
        if (declared := field.metadata.get(_KEY)) is not None
    )


def of_line(table: Sequence[Command], line: str) -> Any:
    """
    @return: the command that a line asks for.
    @raise CommandError: there is none such; the text is that of a SORRY.
    """
    word, _, rest = line.partition(" ")
    asked = word.upper()
    command = next((each for each in table if each.word == asked), None)
    if command is None:
        raise _refused(f"Invalid command: {asked}")
    return command.kind(**_words(command, rest))


def of_json(table: Sequence[Command], method: str, params: Any) -> Any:
    """
    @param params: a list, a mapping, or None.
    @raise CommandError: there is no such command, or it does not take these.
    """
    command = next((each for each in table if each.method == method), None)
    if command is None:
        raise CommandError(-32601, "Method not found")
    known = command.parameters
    given = _by_name(known, params) if isinstance(params, dict) else {}
    if isinstance(params, list):
        if len(params) > len(known):
            text = f"there are {len(params)}, {len(known)} are allowed"
            raise CommandError(INVALID, "Invalid params", text)
        given = {one.name: value for one, value in zip(known, params, strict=False)}
    values = {}
    for each in known:
        value = given.get(each.name)
        if value is not None:
            values[each.name] = each.of_json(value)
        elif each.needed:
            raise CommandError(INVALID, "Invalid params", f"{each.name} is missing")
    return command.kind(**values)


def _by_name(known: Sequence[Parameter], params: dict[str, Any]) -> dict[str, Any]:
    names = {name: each.name for each in known for name in (each.name, each.camel)}
    for name in params:
        if name not in names:
            raise CommandError(INVALID, "Invalid params", f"{name} is unknown")
    return {names[name]: value for name, value in params.items()}


def _words(command: Command, rest: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = rest
    places = [each for each in command.parameters if not each.named]
    names = {each.key: each for each in command.parameters if each.named}
    for each in places:
        word, _, after = left.partition(" ")
        if each.rest:
            word, after = left, ""
        elif not each.needed and word.partition("=")[0] in names:
            break  # that one was left out
        left = after
        if word:
            found[each.name] = each.of_word(word)
        elif each.needed:
            raise _refused(f"Missing {each.missing}")
    for word in left.split(" ") if left else ():
        key, equals, value = word.partition("=")
        if not equals or key not in names:
            raise _refused(f"Invalid argument to {command.word}: {word}")
        found[names[key].name] = names[key].of_word(value)
    return found


def _bare(kind: Any) -> Any:
    """@return: the annotation without None."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (each for each in get_args(kind) if each is not NoneType)
    return kind


def _refused(text: str) -> CommandError:
    return CommandError(PROTOCOL, f"Control protocol error: {text}")
