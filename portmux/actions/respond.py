"""Answer with what the configuration says, as bytes or as HTTP."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from mimetypes import guess_type
from typing import Any, Final

import attrs

from portmux.actions.discard import Drain
from portmux.core.canned import TEXT, WITHOUT_CONTENT, Header
from portmux.core.option import declared, option
from portmux.core.plan import Serving
from portmux.core.registry import Registry
from portmux.net.answers import Content, Page, answer, content_of, file_content
from portmux.net.client import Client

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"([!-~]([\t -~]*[!-~])?)?")
_OURS: Final = ("content-length", "transfer-encoding")


def _check_status(status: int) -> None:
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is not allowed, 200 to 599 is")


def _check_headers(headers: Mapping[str, str]) -> None:
    """@see: RFC 9110, sections 5.1 and 5.5."""
    seen: set[str] = set()
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is not a header's name, letters, digits and - are allowed"
            )
        if name.lower() in _OURS:
            raise ValueError(f"{name} follows from the body and cannot be given")
        if name.lower() in seen:
            raise ValueError(f"{name} is there already, one of a name is allowed")
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"{value!r} cannot be the value of {name}, visible ASCII is allowed,"
                " with blanks in between"
            )
        seen.add(name.lower())


def _check_file(path: str | None) -> None:
    if path is not None and (not os.path.isabs(path) or "\0" in path):
        raise ValueError(f"{path!r} is not allowed, a path that starts with / is")


@attrs.frozen
class Respond:
    """Every client gets the same bytes, or every request the same HTTP answer."""

    bytes_: bytes | None = option(
        "send just this, and the end of the stream",
        default=None,
        value=True,
        example='"220 come back later\\r\\n"',
    )
    status: int = option(
        "of an HTTP answer", default=200, check=_check_status, example="503"
    )
    headers: Mapping[str, str] = option(
        "of an HTTP answer, beside Date, Content-Length and Content-Type",
        factory=dict,
        check=_check_headers,
        example='{Retry-After: "60"}',
    )
    body: bytes | None = option(
        "of an HTTP answer; none: empty", default=None, example='"back soon\\n"'
    )
    file: str | None = option(
        "file whose content is the body of an HTTP answer, read for each request",
        default=None,
        check=_check_file,
        example="/srv/www/sorry.html",
    )

    def __attrs_post_init__(self) -> None:
        """@raise ValueError: as a file's faults are told."""
        given = attrs.asdict(self, recurse=False)
        for field in attrs.fields(Respond):
            option = declared(field)
            if option is not None and option.check is not None:
                option.check(given[field.name])
        for path, text in self.conflicts(given):
            raise ValueError(": ".join((*path, text)))

    @staticmethod
    def conflicts(given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Which values cannot stand together, see L{portmux.config.decode}."""
        http = {"status": 200, "headers": {}, "body": None, "file": None}
        body = [key for key in ("body", "file") if given.get(key) is not None]
        if given.get("bytes_") is not None:
            for key, default in http.items():
                if given.get(key, default) != default:
                    yield (key,), "is of an HTTP answer, bytes alone are allowed"
        elif len(body) > 1:
            yield ("file",), "is there beside body, one of them is allowed"
        elif body and given.get("status") in WITHOUT_CONTENT:
            text = f"an answer of status {given['status']} has none"
            yield (body[0],), f"{text}, another status is needed"

    def plan(self) -> Serving:
        if self.bytes_ is not None:
            return Serving("respond", partial(_send, self.bytes_))
        if self.file is not None:
            content = partial(file_content, self.file)
            page = self._page(self.file, _kind(self.file), content)
            return Serving("respond", partial(answer, page), descriptors=1)
        content = partial(content_of, self.body or b"")
        page = self._page("body", None if self.body is None else TEXT, content)
        return Serving("respond", partial(answer, page))

    def _page(
        self, name: str, kind: Header | None, content: Callable[[], Content]
    ) -> Page:
        headers = tuple(self.headers.items())
        if kind and not any(key.lower() == "content-type" for key in self.headers):
            headers += (kind,)
        return Page(name, self.status, headers, content)


def _kind(path: str) -> Header:
    """@return: the type that the file's name tells; nothing is read of the file."""
    kind, encoding = guess_type(path)
    if kind is None or encoding is not None:
        kind = "application/octet-stream"
    return "Content-Type", kind


async def _send(data: bytes, client: Client) -> None:
    client.attach(Drain())
    client.write(data)


def register(registry: Registry) -> None:
    registry.action("respond", Respond)
