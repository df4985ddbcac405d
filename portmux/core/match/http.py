"""Match HTTP/1 requests by method, host, path and header fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import attrs

from portmux.core.head import Head, Reason, Verdict, printable
from portmux.core.option import option
from portmux.core.parse.httphead import Request, RequestParser
from portmux.core.pattern import Pattern, Test, some
from portmux.core.registry import Registry
from portmux.errors import Malformed

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_SHORT = 100
"""Letters; longer ones are hardly ever seen again, and would fill the memory."""

Answer = tuple[Verdict, str]
Fields = tuple[tuple[str, tuple[Pattern, ...]], ...]

_NOTHING: Answer = Verdict.MORE, "nothing has come"
_METHOD_OPEN: Answer = Verdict.MORE, "the method is incomplete"
_LINE_OPEN: Answer = Verdict.MORE, "the request line is incomplete"
_HEAD_OPEN: Answer = Verdict.MORE, "the head is incomplete"
_METHOD: Answer = Verdict.NO, "the method is another one"
_PATH: Answer = Verdict.NO, "no pattern fits the path"
_NO_HOST: Answer = Verdict.NO, "the request names no host"
_HOST: Answer = Verdict.NO, "no pattern fits the host"
_FIELD: Answer = Verdict.NO, "a header field is missing or has another value"
_LINE: Answer = Verdict.YES, "the request line is whole"
_HEAD: Answer = Verdict.YES, "the head is whole"


def _check_tokens(names: Iterable[str]) -> None:
    for name in names:
        if not _TOKEN.fullmatch(name):
            raise ValueError(
                f"{name!r} is no token, letters, digits and !#$%&'*+-.^_`|~ are allowed"
            )


def _check_methods(methods: Sequence[str]) -> None:
    some(methods)
    _check_tokens(methods)


def _check_header(fields: Mapping[str, Sequence[Pattern]]) -> None:
    some(fields)
    _check_tokens(fields)
    for values in fields.values():
        some(values)


@attrs.frozen
class Http:
    """
    Match an HTTP/1 request by its first line, or by all of its head.

    Every option that is there must fit; of its values one is enough.
    """

    method: tuple[str, ...] = option(
        "methods, in the case they are sent in",
        default=(),
        check=_check_methods,
        example="GET",
    )
    host: tuple[Pattern, ...] = option(
        "hosts asked for, without port; a request that names none never matches",
        default=(),
        check=some,
        example="*.example.org",
    )
    path: tuple[Pattern, ...] = option(
        "paths, without the query", default=(), check=some, example="/api/*"
    )
    header: Mapping[str, tuple[Pattern, ...]] = option(
        "fields that must be there, with a value that fits",
        factory=dict,
        check=_check_header,
        example="{upgrade: websocket}",
    )
    _methods: tuple[bytes, ...] = attrs.field(init=False, eq=False, repr=False)
    _hosts: tuple[Test, ...] = attrs.field(init=False, eq=False, repr=False)
    _fields: Fields = attrs.field(init=False, eq=False, repr=False)
    _key: object = attrs.field(factory=object, init=False, eq=False, repr=False)

    @_methods.default
    def _encode_methods(self) -> tuple[bytes, ...]:
        _check_tokens(self.method)
        _check_tokens(self.header)
        return tuple(name.encode("ascii") for name in self.method)

    @_hosts.default
    def _compile_hosts(self) -> tuple[Test, ...]:
        return tuple(_unbracketed(pattern).ignoring_case() for pattern in self.host)

    @_fields.default
    def _fold_names(self) -> Fields:
        return tuple((name.lower(), values) for name, values in self.header.items())

    def match(self, head: Head) -> Verdict:
        return self._answer(head)[0]

    def _answer(self, head: Head) -> Answer:
        """@raise Malformed: this is no request."""
        data = head.data
        if not data:
            return _NOTHING
        parser = head.recall(RequestParser, RequestParser)
        whole = parser.read_line(data)
        request = parser.request
        if self.method:
            method = request.method
            if method is None:
                begins = any(name.startswith(data) for name in self._methods)
                return _METHOD_OPEN if begins else _METHOD
            if method not in self.method:
                return _METHOD
        if not self.path and not self.host and not self.header:
            return _LINE if whole else _LINE_OPEN
        return self._answer_in_full(head, parser)

    def _answer_in_full(self, head: Head, parser: RequestParser) -> Answer:
        """The end of the head decides: a second Host field may come before it."""
        by_fields = self.host or self.header
        if by_fields:
            parser.read(head.data)
        request = parser.request
        seen = head.recall(self._key, _Seen)
        if not self._path_may_fit(request, seen):
            return _PATH
        if not self._host_may_fit(request, seen):
            return _HOST if request.host else _NO_HOST
        if request.version is None:
            return _LINE_OPEN
        if not by_fields:
            return _LINE
        if not request.complete:
            return _HEAD_OPEN
        return _HEAD if self._fields_fit(request) else _FIELD

    def _path_may_fit(self, request: Request, seen: _Seen) -> bool:
        path = request.path
        if seen.path_fits is None and path is not None:
            seen.path_fits = not self.path or any(p.matches(path) for p in self.path)
        return seen.path_fits is not False

    def _host_may_fit(self, request: Request, seen: _Seen) -> bool:
        host = request.host
        if seen.host_fits is None and host is not None:
            seen.host_fits = not self.host or (
                host != "" and any(fits(host) for fits in self._hosts)
            )
        return seen.host_fits is not False

    def _fields_fit(self, request: Request) -> bool:
        return all(
            any(p.matches(value) for value in request.values(name) for p in patterns)
            for name, patterns in self._fields
        )

    def why(self, head: Head) -> Reason:
        try:
            text = self._answer(head)[1]
        except Malformed as fault:
            text = f"no HTTP/1 request: {fault}"
        parser = head.recall(RequestParser, RequestParser)
        request = parser.request
        try:
            parser.read(head.data)  # the host is worth knowing in any case
        except Malformed:
            if not request.version:  # what looked like a request is none
                return Reason(text)
        return Reason(text, None, _facts(request))

    def first(self) -> frozenset[int]:
        if self.method:
            return frozenset(ord(name[0]) for name in self.method)
        return frozenset(octet for octet in range(256) if _TOKEN.match(chr(octet)))


@attrs.define(eq=False, slots=True)
class _Seen:
    """What was asked of one connection already; None: not known yet."""

    path_fits: bool | None = None
    host_fits: bool | None = None


def _unbracketed(pattern: Pattern) -> Pattern:
    """C{[::1]} is an address here, not a set of characters."""
    glob = pattern.glob or ""
    if glob.startswith("[") and glob.endswith("]") and ":" in glob:
        return Pattern(glob[1:-1])
    return pattern


def _facts(request: Request) -> tuple[tuple[str, str], ...]:
    told = (
        ("method", request.method),
        ("host", request.host),
        ("path", request.path),
        ("version", request.version),
    )
    return tuple(_fact(name, text) for name, text in told if text)


def _fact(name: str, text: str) -> tuple[str, str]:
    """Most of them are the same for many connections, which then share them."""
    return _known(name, text) if len(text) < _SHORT else (name, printable(text))


@lru_cache(maxsize=1024)
def _known(name: str, text: str) -> tuple[str, str]:
    return name, printable(text)


def register(registry: Registry) -> None:
    registry.matcher("http", Http)
